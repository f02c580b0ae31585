"""
A trained model as data: what it was trained on, what it needs to score, and its numbers. Never code.

The bytes around it are described in `container`. The manifest's `experiment` has the layout of a declaration, so that
one reader checks both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from studio.engine.container import pack, unpack
from studio.engine.design import Design, Split, read_design
from studio.engine.errors import ModelFileError, shown
from studio.engine.learners import Learner, Model, quantiles_of
from studio.engine.model_section import Shape, model_section, numbers_part, read_model, read_shape
from studio.engine.number_text import number_text
from studio.engine.schema import ColumnType, Schema
from studio.engine.schema_section import schema_section
from studio.engine.scored_columns import ScoredColumns, scored_columns
from studio.engine.sections import Section
from studio.engine.settings import Rule
from studio.engine.task import Task

__all__ = ["DataOrigin", "ModelFile", "ModelFileError"]

_FORMAT = "relearn model 2"
_COUNTS = ("n_rows", "n_training_rows", "n_test_rows")
_MAX_CLASSES = 1000


@dataclass(frozen=True)
class DataOrigin:
    """The file a model was trained on: hex SHA-256 of its bytes, its rows, and how they were split."""

    sha256: str
    n_rows: int
    n_training_rows: int
    n_test_rows: int


@dataclass(frozen=True)
class ModelFile:
    """
    One trained model.

    `classes` are the labels: of two, the positive one is the second, and `schema.positive_label` the same; of several,
    they are sorted; in regression there are none. `levels` gives, per categorical feature, its known levels; a level's
    position is its code. `metrics` are those of the test rows, `libraries` names with versions.
    """

    experiment: str
    schema: Schema
    classes: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    split: Split
    learner: Learner
    metrics: Mapping[str, float]
    data: DataOrigin
    libraries: Mapping[str, str]
    model: Model

    @property
    def scored(self) -> ScoredColumns:
        """What its answers to a row become."""
        return scored_by(Design(self.schema, self.split, self.learner), self.classes)

    @property
    def output_columns(self) -> tuple[tuple[str, ColumnType], ...]:
        """What scoring answers with: the input columns, then the scored ones."""
        return (*self.schema.columns.items(), *self.scored.columns)

    @property
    def fingerprint(self) -> str:
        """
        Hex SHA-256 of what a client of the model sees: input and output columns, label, positive label.

        A model may replace another behind an endpoint only where the two are equal. Fills, dropped columns and the
        learner are the model's own affair and do not count.
        """
        seen = {
            "inputs": [[name, kind.value] for name, kind in self.schema.columns.items()],
            "outputs": [[name, kind.value] for name, kind in self.output_columns],
            "label": self.schema.label,
            "positive_label": self.schema.positive_label,
        }
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()

    def write(self) -> bytes:
        """
        Return the bytes of the `.ilearner`: equal models, equal bytes.

        Raises:
            ModelFileError: The model is larger than `read` would accept.
        """
        return pack(json.dumps(self._manifest(), ensure_ascii=False, indent=1).encode(), *numbers_part(self.model))

    @classmethod
    def read(cls, data: bytes) -> ModelFile:
        """
        Read a `.ilearner` from anywhere, in bounded memory; its numbers are safe to give to the library.

        Raises:
            ModelFileError: The bytes are not a whole and consistent model.
        """
        manifest, part, numbers = unpack(data)
        return _read_model_file(Section(_parsed(manifest), "manifest.json"), part, numbers)

    def declaration(self) -> dict[str, object]:
        """Say by which design it was trained, laid out as a declaration."""
        return {
            "name": self.experiment,
            **schema_section(self.schema),
            "split": asdict(self.split),
            "learner": {"name": self.learner.name, "parameters": dict(self.learner.parameters)},
        }

    def _manifest(self) -> dict[str, object]:
        return {
            "format": _FORMAT,
            "experiment": self.declaration(),
            "classes": self.classes,
            "levels": self.levels,
            "model": model_section(self.model),
            "metrics": {name: number_text(value) for name, value in self.metrics.items()},
            "data": asdict(self.data),
            "libraries": self.libraries,
        }


def scored_by(design: Design, classes: tuple[str, ...]) -> ScoredColumns:
    """Return what the answers of a model of this design become."""
    schema, learner = design.schema, design.learner
    quantiles = quantiles_of(learner.parameters)
    return scored_columns(learner.kind.answers, classes, schema.columns[schema.label], quantiles)


def _parsed(manifest: bytes) -> dict[str, object]:
    try:
        values = json.loads(manifest)
    except (ValueError, RecursionError) as problem:
        raise ModelFileError(f"manifest.json is not JSON: {problem}") from problem
    if not isinstance(values, dict):
        raise ModelFileError("manifest.json is not an object")
    return values


def _read_model_file(root: Section, part: str, numbers: bytes) -> ModelFile:
    if root.text("format") != _FORMAT:
        root.report("format", f"expected '{_FORMAT}'")
    experiment = root.section("experiment", required=True)
    name, design = experiment.text("name"), read_design(experiment)
    experiment.close()
    if design is None:
        raise _refusal(root)
    schema, classes = design.schema, root.texts("classes", ())
    levels = _read_levels(root.section("levels"), schema)
    shape = read_shape(root.section("model", required=True), schema, levels)
    metrics, origin = _read_metrics(root.section("metrics")), _read_origin(root.section("data", required=True))
    libraries = {name: str(version)[:100] for name, version in root.section("libraries").items()}
    root.close()
    _check_classes(root, design, classes, shape)
    if schema.fill_rules:
        root.report("experiment", "missing.fill has a rule that only training can turn into a value")
    if root.problems:
        raise _refusal(root)
    return ModelFile(
        experiment=name,
        schema=schema,
        classes=classes,
        levels=levels,
        split=design.split,
        learner=design.learner,
        metrics=metrics,
        data=origin,
        libraries=libraries,
        model=read_model(shape, part, numbers),
    )


def _refusal(root: Section) -> ModelFileError:
    return ModelFileError("; ".join(root.problems[:5]))


def _check_classes(root: Section, design: Design, classes: tuple[str, ...], shape: Shape) -> None:
    task = design.learner.task
    is_fit = {
        Task.TWO_CLASS: len(set(classes)) == 2 and classes[-1:] == (design.schema.positive_label,),
        Task.MULTICLASS: 2 <= len(classes) <= _MAX_CLASSES and list(classes) == sorted(set(classes)),
        Task.REGRESSION: not classes,
    }
    if not is_fit[task]:
        root.report("classes", f"they are not what a {task.value} learner has")
    elif not root.problems and shape.n_outputs != scored_by(design, classes).n_answers:
        root.report("model", f"{shape.n_outputs} answer(s) to a row are not what its learner gives")


def _read_levels(section: Section, schema: Schema) -> dict[str, tuple[str, ...]]:
    levels = {}
    for at in schema.categorical_features:
        name = schema.features[at]
        levels[name] = section.texts(name, ())
        if list(levels[name]) != sorted(set(levels[name])):
            section.report(name, "levels are not sorted and distinct")
        if schema.fills.get(name, "") not in ("", *levels[name]):
            section.report(name, "the fill is not among the levels")
    section.close()
    return levels


def _read_metrics(section: Section) -> dict[str, float]:
    metrics = {}
    for name, value in section.items():
        try:
            metrics[name] = float(str(value))
        except ValueError:
            section.report(name, f"expected a number as text, got {shown(value)}")
    return metrics


def _read_origin(section: Section) -> DataOrigin:
    counts = section.settings(dict.fromkeys(_COUNTS, Rule(int, 0, 0, 2**53)))
    origin = DataOrigin(section.text("sha256"), *(int(counts[name]) for name in _COUNTS))
    section.close()
    return origin
