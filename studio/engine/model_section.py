"""A model's numbers: what the manifest says of them, and the part of the container that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.engine.container import TREES, WEIGHTS
from studio.engine.errors import ModelFileError
from studio.engine.learners import Model
from studio.engine.link import Link
from studio.engine.network import Network, NetworkAnswers, NetworkError, NetworkShape
from studio.engine.schema import Schema
from studio.engine.sections import Section
from studio.engine.settings import Rule
from studio.engine.tree_ensemble import TreeEnsemble
from studio.engine.tree_text import TreeShape, TreeTextError
from studio.engine.trees import Trees

_MAX_LAYERS = 16
_MAX_NODES = 100_000
_MAX_OUTPUTS = 1000
_TREE_LINKS = (Link.LOGISTIC, Link.SOFTMAX, Link.IDENTITY)

Shape = TreeShape | NetworkShape
Predictor = Trees | NetworkAnswers


def predictor(model: Model) -> Predictor:
    """
    Make a model ready to answer.

    Raises:
        LibraryMissing: It has trees, and LightGBM or the OpenMP runtime is not installed.
        NetworkError: Its numbers do not fit its shape.
    """
    return Trees(model) if isinstance(model, TreeEnsemble) else NetworkAnswers(model)


def model_section(model: Model) -> dict[str, object]:
    """Write the section that `read_shape` reads."""
    shape = model.shape
    if isinstance(shape, TreeShape):
        facts: dict[str, object] = {"outputs": shape.n_outputs, "averaged": shape.averaged}
        return {"part": TREES, "link": shape.link.value, **facts}
    return {"part": WEIGHTS, "link": shape.link.value, "layers": list(shape.layers), "unit_length": shape.unit_length}


def numbers_part(model: Model) -> tuple[str, bytes]:
    """Return name and content of the part of the container."""
    if isinstance(model, TreeEnsemble):
        return TREES, model.text.encode()
    return WEIGHTS, model.numbers


def read_shape(section: Section, schema: Schema, levels: Mapping[str, Sequence[str]]) -> Shape:
    """Read what a manifest says of its model's numbers; problems are added to the section."""
    is_tree = section.choice("part", (TREES, WEIGHTS)) == TREES
    link = Link(section.choice("link", tuple(link.value for link in (_TREE_LINKS if is_tree else Link))))
    shape: Shape
    if is_tree:
        [n_outputs] = section.settings({"outputs": Rule(int, 1, 1, _MAX_OUTPUTS)}).values()
        shape = TreeShape(len(schema.features), int(n_outputs), link, section.flag("averaged"))
    else:
        inputs = tuple(len(levels[name]) if name in levels else None for name in schema.features)
        layers = section.counts("layers", _MAX_LAYERS, _MAX_NODES)
        shape = NetworkShape(inputs, layers, link, section.flag("unit_length"))
    section.close()
    return shape


def read_model(shape: Shape, part: str, numbers: bytes) -> Model:
    """
    Check a part of a container against the shape that the manifest gives.

    Raises:
        ModelFileError: It does not hold such a model.
    """
    if part != (TREES if isinstance(shape, TreeShape) else WEIGHTS):
        raise ModelFileError(f"its numbers are in {part}, and its manifest says otherwise")
    try:
        if isinstance(shape, TreeShape):
            return TreeEnsemble.checked(numbers.decode("ascii"), shape)
        network = Network(shape, numbers)
        NetworkAnswers(network)
    except (TreeTextError, NetworkError, UnicodeDecodeError) as problem:
        raise ModelFileError(f"{part}: {problem}") from problem
    return network
