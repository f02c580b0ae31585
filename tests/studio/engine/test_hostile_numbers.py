"""Model files of every kind whose numbers or whose claims about them are wrong: refused, in bounded memory."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_samples import MEGABYTE, refused
from learner_samples import HEADER, declaration, lines

from studio.engine.container import TREES, WEIGHTS, pack, unpack
from studio.engine.experiment import parse_experiment
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer
from studio.engine.training import train

_TREES = ("Multiclass Decision Forest", "Decision Forest Regression", "Fast Forest Quantile Regression")
_NETWORKS = ("Two-Class Logistic Regression", "Multiclass Neural Network", "Linear Regression")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    path = tmp_path_factory.mktemp("parts") / "parts.csv"
    path.write_text("\n".join([HEADER, *lines(200)]), encoding="utf-8")
    models = {
        name: train(parse_experiment(declaration(name), ""), path, ".csv", threads=1).model_file
        for name in (*_TREES, *_NETWORKS)
    }
    return models.__getitem__


def _forged(
    data: bytes,
    manifest: Callable[[dict[str, Any]], object] = lambda _: None,
    numbers: Callable[[bytes], bytes] = lambda content: content,
    part: str = "",
) -> bytes:
    """Change a model file and give it a digest that matches, as an attacker would."""
    text, name, content = unpack(data)
    values = json.loads(text)
    manifest(values)
    return pack(json.dumps(values).encode(), part or name, numbers(content))


@pytest.mark.parametrize("name", _NETWORKS)
@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        (lambda content: b"", "it has 0 bytes of numbers where its shape needs"),
        (lambda content: content[:-1], "bytes of numbers where its shape needs"),
        (lambda content: content + bytes(8), "bytes of numbers where its shape needs"),
        (lambda content: content[:-8] + struct.pack("<d", float("nan")), "not finite"),
        (lambda content: content[:-8] + struct.pack("<d", float("-inf")), "not finite"),
        (lambda content: content[:16] + bytes(8) + content[24:], "divided by 0"),
    ],
)
def test_weights_that_do_not_fit_their_shape_arerefused(
    written: Callable[[str], bytes], name: str, numbers: Callable[[bytes], bytes], reason: str
) -> None:
    refusal = refused(_forged(written(name), numbers=numbers))

    assert "weights.bin: " in refusal
    assert reason in refusal


@pytest.mark.parametrize("name", _NETWORKS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m["model"].update(layers=[100_000] * 16), "answer(s) to a row"),
        (lambda m: m["model"].update(layers=[100_000] * 15 + m["model"]["layers"][-1:]), "bytes of numbers where"),
        (lambda m: m["model"].update(layers=[1] * 17), "expected 1 to 16 whole numbers"),
        (lambda m: m["model"].update(layers=[]), "expected 1 to 16 whole numbers"),
        (lambda m: m["model"].update(layers=[True]), "expected 1 to 16 whole numbers"),
        (lambda m: m["model"].update(layers=[10**400]), "expected 1 to 16 whole numbers"),
        (lambda m: m["model"].update(link="eval"), "expected one of ['identity', 'logistic'"),
        (lambda m: m["model"].update(code="x"), "unknown key"),
        (lambda m: m["model"].update(part=TREES, outputs=1), "unknown key"),
        (lambda m: m.pop("model"), "is required"),
        (lambda m: m["levels"].update(colour=["red"]), "bytes of numbers where"),
        (lambda m: m["levels"].update(colour=[f"{at:05}" for at in range(90_000)]), "bytes of numbers where"),
    ],
)
def test_claims_that_do_not_fit_the_weights_arerefused(
    written: Callable[[str], bytes], name: str, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    assert reason in refused(_forged(written(name), change), within=48 * MEGABYTE)


@pytest.mark.parametrize("name", _TREES)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m["model"].update(outputs=1), "answer(s) to a row are not what its learner gives"),
        (lambda m: m["model"].update(outputs=10**9), "expected a whole number from 1 to 1000"),
        (lambda m: m["model"].update(averaged=False), "its leaves are averaged"),
        (lambda m: m["model"].update(link="softmax"), "whose link is 'softmax'"),
        (lambda m: m["model"].update(link="exponential"), "expected one of ['logistic', 'softmax', 'identity']"),
        (lambda m: m["model"].update(part="../trees.txt"), "expected one of"),
    ],
)
def test_claims_that_do_not_fit_the_trees_arerefused(
    written: Callable[[str], bytes], name: str, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    assert reason in refused(_forged(written(name), change))


@pytest.mark.parametrize("name", _TREES)
@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"\nTree=0\n", b"\nTree=1\n", "out of order"),
        (b"num_class=3\n", b"num_class=4\n", "3 answer(s) to a row"),
        (b"average_output\n", b"", "its leaves are summed"),
        (b"\nend of trees", b"\nTree=", "to a round"),
    ],
)
def test_trees_that_do_not_fit_their_shape_arerefused(
    written: Callable[[str], bytes], name: str, before: bytes, after: bytes, reason: str
) -> None:
    assert reason in refused(_forged(written(name), numbers=lambda content: content.replace(before, after, 1)))


def test_numbers_in_the_other_part_arerefused(written: Callable[[str], bytes]) -> None:
    assert "its manifest says otherwise" in refused(_forged(written("Linear Regression"), part=TREES))
    assert "its manifest says otherwise" in refused(_forged(written("Decision Forest Regression"), part=WEIGHTS))


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("Linear Regression", ["a"]),
        ("Multiclass Neural Network", ["A", "B"]),
        ("Multiclass Neural Network", ["B", "A", "C"]),
        ("Multiclass Neural Network", [f"{at:05}" for at in range(5000)]),
        ("Two-Class Logistic Regression", ["yes", "yes"]),
        ("Two-Class Logistic Regression", ["yes", "no"]),
        ("Two-Class Logistic Regression", []),
    ],
)
def test_classes_that_a_learner_cannot_have_arerefused(
    written: Callable[[str], bytes], name: str, classes: list[str]
) -> None:
    reason = refused(_forged(written(name), lambda m: m.update(classes=classes)))

    assert "not what" in reason


@pytest.mark.parametrize("weight", [1e308, -1e308, 5e-324])
def test_the_most_extreme_weights_give_answers_and_no_error(written: Callable[[str], bytes], weight: float) -> None:
    for name in _NETWORKS:
        data = _forged(
            written(name), numbers=lambda content: content[:48] + struct.pack("<d", weight) * (len(content[48:]) // 8)
        )

        [row] = Scorer.load(data).score(HEADER.split(","), [["1e300", "-1", "red", None, None, None]])

        assert row[-1] is not None


def test_a_model_fits_an_endpoint_whatever_its_learner_but_not_with_other_classes(
    written: Callable[[str], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "fewer.csv"
    path.write_text("\n".join([HEADER, *(line for line in lines(200) if ",C," not in line)]), encoding="utf-8")
    forest, network = (ModelFile.read(written(name)) for name in (_TREES[0], _NETWORKS[1]))

    fewer = train(parse_experiment(declaration(_TREES[0]), ""), path, ".csv", threads=1)

    assert forest.fingerprint == network.fingerprint
    assert forest.fingerprint != ModelFile.read(fewer.model_file).fingerprint
    assert ModelFile.read(written("Linear Regression")).fingerprint != forest.fingerprint
