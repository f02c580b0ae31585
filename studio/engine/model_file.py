"""
A trained model as data: what it was trained on, what it needs to score, and its trees. Never code.

The bytes around it are described in `container`. The manifest's `experiment` has the layout of a declaration, so that
one reader checks both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from studio.engine.container import pack, unpack
from studio.engine.errors import ModelFileError, shown
from studio.engine.experiment import Split, read_split
from studio.engine.learners import UNKNOWN_LEVELS, Learner, read_learner
from studio.engine.number_text import number_text
from studio.engine.schema import Schema
from studio.engine.schema_section import read_schema, schema_section
from studio.engine.sections import Section
from studio.engine.settings import Rule
from studio.engine.tree_text import TreeTextError, checked_trees

__all__ = ["DataOrigin", "ModelFile", "ModelFileError"]

_FORMAT = "relearn model 1"
_COUNTS = ("n_rows", "n_training_rows", "n_test_rows")


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

    `levels` gives, per categorical feature, its known levels; a level's position is its code in the trees.
    `schema.positive_label` is never None here. `metrics` are those of the test rows, `libraries` names with versions.
    """

    experiment: str
    schema: Schema
    negative_label: str
    levels: Mapping[str, tuple[str, ...]]
    split: Split
    learner: Learner
    metrics: Mapping[str, float]
    data: DataOrigin
    libraries: Mapping[str, str]
    trees: str

    @property
    def fingerprint(self) -> str:
        """Hex digest of what its clients see; a model fits an endpoint whose model has the same one."""
        return self.schema.fingerprint

    @property
    def allows_unknown_levels(self) -> bool:
        """Whether a level that training did not see scores as missing, or is an error."""
        return self.learner.parameters[UNKNOWN_LEVELS] is True

    def write(self) -> bytes:
        """
        Return the bytes of the `.ilearner`: equal models, equal bytes.

        Raises:
            ModelFileError: The model is larger than `read` would accept.
        """
        return pack(json.dumps(self._manifest(), ensure_ascii=False, indent=1).encode(), self.trees.encode())

    @classmethod
    def read(cls, data: bytes) -> ModelFile:
        """
        Read a `.ilearner` from anywhere, in bounded memory; the trees are safe to give to the library.

        Raises:
            ModelFileError: The bytes are not a whole and consistent model.
        """
        manifest, trees = unpack(data)
        root = Section(_parsed(manifest), "manifest.json")
        model = _read_manifest(root)
        root.close()
        if model is None or root.problems:
            raise ModelFileError("; ".join(root.problems[:5]))
        return model._with_trees(trees)

    def _with_trees(self, trees: bytes) -> ModelFile:
        try:
            text = checked_trees(trees.decode("ascii"), len(self.schema.features))
        except (TreeTextError, UnicodeDecodeError) as problem:
            raise ModelFileError(f"trees.txt: {problem}") from problem
        return replace(self, trees=text)

    def _manifest(self) -> dict[str, object]:
        return {
            "format": _FORMAT,
            "experiment": {
                "name": self.experiment,
                **schema_section(self.schema),
                "split": asdict(self.split),
                "learner": {"name": self.learner.name, "parameters": dict(self.learner.parameters)},
            },
            "negative_label": self.negative_label,
            "levels": self.levels,
            "metrics": {name: number_text(value) for name, value in self.metrics.items()},
            "data": asdict(self.data),
            "libraries": self.libraries,
        }


def _parsed(manifest: bytes) -> dict[str, object]:
    try:
        values = json.loads(manifest)
    except (ValueError, RecursionError) as problem:
        raise ModelFileError(f"manifest.json is not JSON: {problem}") from problem
    if not isinstance(values, dict):
        raise ModelFileError("manifest.json is not an object")
    return values


def _read_manifest(root: Section) -> ModelFile | None:
    if root.text("format") != _FORMAT:
        root.report("format", f"expected '{_FORMAT}'")
    experiment = root.section("experiment", required=True)
    name, schema = experiment.text("name"), read_schema(experiment)
    learner = read_learner(experiment.section("learner", required=True))
    split = read_split(experiment.section("split"))
    experiment.close()
    if schema.positive_label is None:
        experiment.report("label", "positive is required")
    if learner is None:
        return None
    return ModelFile(
        experiment=name,
        schema=schema,
        negative_label=root.text("negative_label"),
        levels=_read_levels(root.section("levels"), schema),
        split=split,
        learner=learner,
        metrics=_read_metrics(root.section("metrics")),
        data=_read_origin(root.section("data", required=True)),
        libraries={name: str(version)[:100] for name, version in root.section("libraries").items()},
        trees="",
    )


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
