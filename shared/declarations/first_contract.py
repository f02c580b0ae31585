"""The contract that a model gets when it is first published: inferred from the file that it is published from."""

from __future__ import annotations

import tomllib
from pathlib import Path

from shared.declarations.contract_file import contract_file_of, contract_toml
from shared.domain.data.dataset import is_table
from shared.domain.data.inference import infer
from shared.domain.task import Task

_CHUNK = 2**20  # bytes
_NOTE = """# Inferred from '{data}', which this model was published from.
# Every file that comes is held against it: read it, correct it. It is not written again.
"""


def leave_contract(models_file: Path, name: str, data: Path, experiment: Path) -> Path | None:
    """
    Write the contract that a file meets beside `models.toml`, where it is found by the model's name.

    Args:
        models_file: `models.toml`.
        name: The model.
        data: The file that it is published from.
        experiment: Its declaration (docs/experiments.md), whose section `label` says what is predicted.

    Returns:
        The file that was written. None where there is a contract already, which always wins, or none can be inferred:
        the model is not declared, or the data has no header row.

    Raises:
        CsvProblem: The data is no CSV.
    """
    document = tomllib.loads(models_file.read_text("utf-8"))
    declared = document.get("models", {}).get(name)
    if not isinstance(declared, dict) or not is_table(data.name) or ".nh." in data.name.lower():
        return None
    settings = document.get("defaults", {}) | declared
    written = settings.get("contract", contract_file_of(name))
    if not isinstance(written, str) or models_file.with_name(written).exists():
        return None
    task = Task(settings["task"]) if "task" in settings else Task.TWO_CLASS
    label = tomllib.loads(experiment.read_text("utf-8")).get("label", {})
    with data.open("rb") as stream:
        pieces = iter(lambda: stream.read(_CHUNK), b"")
        contract = infer(pieces, label=label.get("column", ""), positive=label.get("positive", ""), task=task)
    path = models_file.with_name(written)
    path.write_text(_NOTE.format(data=data.name) + contract_toml(contract), "utf-8")
    return path
