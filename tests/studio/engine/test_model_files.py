"""Model files: data that reads back as it was, and hostile bytes that are refused in bounded memory."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_samples import MEGABYTE, SMALL, refused

from studio.engine.container import MAX_NUMBERS_BYTES, TREES, pack, unpack
from studio.engine.errors import ModelFileError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.model_file import ModelFile
from studio.engine.training import train


def test_a_model_reads_back_as_it_was_written(small_model: ModelFile) -> None:
    data = small_model.write()

    assert ModelFile.read(data) == small_model
    assert ModelFile.read(data).write() == data


def test_a_model_says_where_it_comes_from(small: Experiment, small_csv: Path) -> None:
    trained = train(small, small_csv, ".csv", threads=1, parameters={"Random seed": "3"})

    model = ModelFile.read(trained.model_file)

    assert model.experiment == "Will it rain?"
    assert model.split.seed == 3
    assert model.learner.parameters["Number of trees constructed"] == 5
    assert model.data == trained.summary.data
    assert model.data.n_rows == 600
    assert len(model.data.sha256) == 64
    assert model.levels["wind"] == ("calm", "north", "south", "west")
    assert (model.schema.positive_label, model.classes) == ("yes", ("no", "yes"))
    assert model.libraries.keys() == {"lightgbm", "numpy", "pyarrow"}


def test_anybody_can_look_into_a_model_with_ordinary_tools(small_model: ModelFile) -> None:
    with zipfile.ZipFile(io.BytesIO(small_model.write())) as archive:
        manifest = json.loads(archive.read("manifest.json"))

        assert archive.namelist() == ["manifest.json", "trees.txt", "digest.txt"]
        assert manifest["experiment"]["learner"]["name"] == "Two-Class Boosted Decision Tree"


def test_models_of_one_declaration_fit_and_of_another_do_not(small: Experiment, small_csv: Path) -> None:
    other = parse_experiment(SMALL.replace('month = "Integer"', 'month = "Numeric"'), "other.toml")

    def fingerprint(experiment: Experiment, seed: str) -> str:
        trained = train(experiment, small_csv, ".csv", threads=1, parameters={"Random seed": seed})
        return ModelFile.read(trained.model_file).fingerprint

    assert fingerprint(small, "1") == fingerprint(small, "2")
    assert fingerprint(small, "1") != fingerprint(other, "1")


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ('wind = "calm"', 'wind = "still"', True),
        ('drop = ["note"]', "drop = []", True),
        ('month = "Integer"', 'month = "Numeric"', False),
        ('column = "rain"', 'column = "rain"\npositive = "no"', False),
        ('wind = "Categorical"\nnote = "Categorical"', 'note = "Categorical"\nwind = "Categorical"', False),
    ],
)
def test_a_fingerprint_follows_what_clients_see(before: str, after: str, is_same: bool, small_csv: Path) -> None:
    assert before in SMALL
    one, other = (
        ModelFile.read(train(parse_experiment(text, ""), small_csv, ".csv", threads=1).model_file)
        for text in (SMALL, SMALL.replace(before, after))
    )

    assert (one.fingerprint == other.fingerprint) is is_same


def _archive(parts: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


_PARTS = {"manifest.json": b"{}", "trees.txt": b"", "digest.txt": b"0" * 64}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"PK", "too short"),
        (random.Random(1).randbytes(5000), "not a ZIP archive"),
        (b"\x80\x04\x95" + bytes(100), "not a ZIP archive"),
        (_archive({}), "holds other parts"),
        (_archive({"../../etc/passwd": b"x", **_PARTS}), "holds other parts"),
        (_archive({"manifest.json": b"", "trees.txt": b"", "/digest.txt": b""}), "holds other parts"),
        (_archive({f"part{at}": b"" for at in range(50_000)}), "holds other parts"),
        (_archive(_PARTS), "digest does not match"),
        (_archive(_PARTS, method=zipfile.ZIP_LZMA), "packed in a way that is not allowed"),
        (_archive({**_PARTS, "trees.txt": bytes(MAX_NUMBERS_BYTES + 1)}), "trees.txt unpacks to"),
        (_archive({**_PARTS, "digest.txt": bytes(10_000_000)}), "digest.txt unpacks to"),
        (bytes(80 * MEGABYTE), "at most"),
    ],
    ids=[
        "empty", "beginning", "random", "pickle", "no parts", "traversal", "absolute", "many parts", "digest", "lzma",
        "bomb", "digest bomb", "huge",
    ],
)  # fmt: skip
def test_bytes_that_are_no_model_arerefused(data: bytes, reason: str) -> None:
    assert reason in refused(data)


def test_a_bomb_that_lies_about_its_size_isrefused(small_model: ModelFile) -> None:
    data = bytearray(_archive({**_PARTS, "digest.txt": bytes(50 * MEGABYTE)}))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, entry + 24, 64)

    assert "damaged" in refused(bytes(data))


def test_a_model_cut_anywhere_isrefused(small_model: ModelFile) -> None:
    data = small_model.write()

    for end in range(0, len(data), 97):
        refused(data[:end])


def test_a_changed_bit_never_gives_another_model(small_model: ModelFile) -> None:
    data = small_model.write()

    for at in range(0, len(data), 13):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        try:
            # A bit in a date or an attribute of the archive means nothing and may pass.
            assert ModelFile.read(bytes(changed)) == small_model
        except ModelFileError:
            continue


def _forged(model: ModelFile, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Pack the model with a changed manifest and a digest that matches, as an attacker would."""
    manifest, part, numbers = unpack(model.write())
    values = json.loads(manifest)
    change(values)
    return pack(json.dumps(values).encode(), part, numbers)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m.clear(), "manifest.json.format: is required"),
        (lambda m: m.update(format="relearn model 1"), "expected 'relearn model 2'"),
        (lambda m: m.update(code="__import__('os')"), "manifest.json.code: unknown key"),
        (lambda m: m.update(experiment=[]), "expected a table"),
        (lambda m: m["experiment"]["columns"].pop("wind"), "not one of the columns"),
        (lambda m: m["experiment"]["columns"].update({f"c{at}": "Numeric" for at in range(5000)}), "at most 4096"),
        (lambda m: m["experiment"]["columns"].update(more="Numeric"), "was not grown on 4 features"),
        (lambda m: m["experiment"]["label"].pop("positive"), "they are not what a two-class learner has"),
        (lambda m: m["experiment"]["learner"].update(name="eval"), "unknown learner 'eval'"),
        (lambda m: m["experiment"]["features"].update(drop=["x"] * 200_000), "is not one of the columns"),
        (lambda m: m["levels"].update(wind=["west", "calm"]), "not sorted and distinct"),
        (lambda m: m["levels"].update(wind=["west"]), "the fill is not among the levels"),
        (lambda m: m["levels"].update(wind={"west": 1}), "expected a list of texts"),
        (lambda m: m["metrics"].update(AUC=[1]), "expected a number as text"),
        (lambda m: m["data"].update(n_rows=-1), "expected a whole number from 0"),
        (lambda m: m["data"].update(n_rows=10**400), "expected a whole number from 0"),
        (lambda m: m.update({f"{at:05}" * 20: 0 for at in range(20_000)}), "unknown key"),
    ],
)
def test_a_forged_manifest_isrefused(
    small_model: ModelFile, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    assert reason in refused(_forged(small_model, change))


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"[" * 2_000_000, "not JSON"),
        (b"[]", "not an object"),
        (b'{"format": "\xff"}', "not JSON"),
        (b'{"format": ' + b"9" * 100_000 + b"}", "not JSON"),
    ],
)
def test_a_manifest_that_is_no_object_isrefused(small_model: ModelFile, manifest: bytes, reason: str) -> None:
    assert reason in refused(pack(manifest, TREES, b""))


def test_a_model_too_large_to_be_read_is_not_written(small_model: ModelFile) -> None:
    large = replace(small_model, levels={"wind": tuple(f"{at:0300}" for at in range(20_000))})

    with pytest.raises(ModelFileError, match=r"manifest\.json would have 6\d{6} bytes; at most 4194304"):
        large.write()


def test_training_says_what_to_do_about_a_model_that_is_too_large(small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    rows = (f"{at % 7},1,{at:0300},n,{'yes' if at % 2 else 'no'}" for at in range(15_000))
    path.write_text("\n".join(["pressure,month,wind,note,rain", *rows]), encoding="utf-8")

    with pytest.raises(ModuleError, match=r"Error 0138: the model is too large: .*drop columns with many levels"):
        train(small, path, ".csv", threads=1)
