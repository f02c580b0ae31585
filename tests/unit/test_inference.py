"""A contract inferred from a good file: what it says, that the file meets it, how it is kept beside models.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_models_file import ENVIRONMENT, SAMPLE

from shared.declarations.contract_file import contract_toml
from shared.declarations.first_contract import leave_contract
from shared.declarations.models_file import load_models
from shared.domain.data.checking import check
from shared.domain.data.contract import Kind
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.inference import infer
from shared.domain.task import Task
from shared.errors import ConfigError
from shared.settings import ROOT

ROWS = "".join(f"{20 + n},{n}.5,{'Bern' if n % 2 else '?'},{'yes' if n % 4 == 0 else 'no'}\n" for n in range(40))
PEOPLE = ("age,weight,town,bought\n" + ROWS).encode()


def test_kinds_label_and_shares_are_read_off_the_file() -> None:
    contract = infer([PEOPLE])

    assert [(c.name, c.kind) for c in contract.columns] == [
        ("age", Kind.INTEGER),
        ("weight", Kind.NUMBER),
        ("town", Kind.CATEGORY),
        ("bought", Kind.CATEGORY),
    ]
    assert (contract.label, contract.task, contract.positive) == ("bought", Task.TWO_CLASS, "yes")
    assert contract.columns[3].values == {"yes", "no"}
    assert [c.max_missing for c in contract.columns] == [0.05, 0.05, 1.0, 1.0]
    assert contract.min_rows == 4
    assert contract.missing == {"", "?"}
    assert check([PEOPLE], contract).is_met


@pytest.mark.parametrize(
    ("label", "task"), [("age", Task.MULTICLASS), ("weight", Task.REGRESSION), ("bought", Task.TWO_CLASS)]
)
def test_the_task_is_read_off_the_label(label: str, task: Task) -> None:
    contract = infer([PEOPLE], label=label)

    assert contract.task is task
    assert check([PEOPLE], contract).is_met


def test_the_separator_is_read_off_the_header() -> None:
    assert infer([PEOPLE.replace(b",", b";")]).separator == ";"
    assert infer([PEOPLE.replace(b",", b"\t")]).separator == "\t"


@pytest.mark.parametrize(
    ("data", "label", "found"),
    [
        (b"", "", "no column ''"),
        (b"a,b\n", "", "no rows"),
        (PEOPLE, "wage", "no column 'wage'"),
        (b"a,a\n1,2\n", "", "the column 'a' more than once"),
        (b"a,b\n1\n", "", "1 cells"),
        (PEOPLE.decode().encode("utf-16"), "", "text in UTF-16"),
    ],
)
def test_a_file_that_says_too_little_is_refused(data: bytes, label: str, found: str) -> None:
    with pytest.raises(CsvProblem) as refused:
        infer([data], label=label)
    assert refused.value.found == found


def test_what_the_command_writes_is_read_from_beside_models_toml(tmp_path: Path) -> None:
    data = tmp_path / "people.csv"
    data.write_bytes(PEOPLE)
    written = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "shared.infer_contract", str(data)], cwd=ROOT, capture_output=True, check=True
    ).stdout
    (tmp_path / "people.contract.toml").write_bytes(written)
    models = tmp_path / "models.toml"
    models.write_text(_beside("people.contract.toml"))

    contract = load_models(models, ENVIRONMENT)["census"].contract

    assert contract == infer([PEOPLE])
    assert written.decode() == contract_toml(contract)


def test_a_first_publish_leaves_a_contract_that_the_app_reads_and_an_edit_wins(tmp_path: Path) -> None:
    models, data, experiment = (tmp_path / name for name in ("models.toml", "people.csv", "experiment.toml"))
    models.write_text(SAMPLE[: SAMPLE.index("[models.census.contract]")])
    data.write_bytes(PEOPLE)
    experiment.write_text('[label]\ncolumn = "bought"\npositive = "no"\n')
    with pytest.raises(ConfigError, match=r"census\.contract: is missing; write it here, or publish the model"):
        load_models(models, ENVIRONMENT)

    left = leave_contract(models, "census", data, experiment)

    assert left == tmp_path / "census.contract.toml"
    assert left.read_text().startswith("# Inferred from 'people.csv'")
    contract = load_models(models, ENVIRONMENT)["census"].contract
    assert contract == infer([PEOPLE], positive="no")
    assert check([PEOPLE], contract).is_met
    edited = left.read_text().replace("min_rows = 4", "min_rows = 39")
    left.write_text(edited)
    assert leave_contract(models, "census", data, experiment) is None
    assert left.read_text() == edited
    assert load_models(models, ENVIRONMENT)["census"].contract.min_rows == 39


def test_a_contract_that_is_declared_is_not_inferred(tmp_path: Path) -> None:
    models, data, experiment = (tmp_path / name for name in ("models.toml", "people.csv", "experiment.toml"))
    models.write_text(SAMPLE)
    data.write_bytes(PEOPLE)
    experiment.write_text("")

    assert leave_contract(models, "census", data, experiment) is None
    assert leave_contract(models, "people", data, experiment) is None  # no such model

    models.write_text(_beside("people.contract.toml"))
    assert leave_contract(models, "census", data, experiment) == tmp_path / "people.contract.toml"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.toml", None, "models.census.contract: names 'none.toml', which is no file beside models.toml; make one"),
        ("../up.toml", None, "models.census.contract: names '../up.toml', which is no file beside models.toml"),
        ("bad.toml", "label", "models.census.contract: names 'bad.toml', which is no TOML"),
        ("c.toml", 'label = "a"\npositive = "1"\n[columns]\nb = "number"', "c.toml.label: 'a' is none of"),
    ],
)  # fmt: skip
def test_a_contract_beside_that_cannot_be_read_is_a_problem(
    tmp_path: Path, name: str, content: str | None, problem: str
) -> None:
    if content:
        (tmp_path / name).write_text(content)
    models = tmp_path / "models.toml"
    models.write_text(_beside(name))

    with pytest.raises(ConfigError) as refused:
        load_models(models, ENVIRONMENT)
    assert [said for said in refused.value.problems if said.startswith(problem)] == list(refused.value.problems)


def _beside(name: str) -> str:
    """The sample, its contract in a file of its own."""
    without = SAMPLE[: SAMPLE.index("[models.census.contract]")]
    return without.replace("[models.census]", f'[models.census]\ncontract = "{name}"')
