"""A contract in a file of its own, beside `models.toml`: the one named there, or `MODEL.contract.toml`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from shared.declarations.section import Section
from shared.domain.data.contract import Column, Contract
from shared.domain.task import Task


def contract_file_of(model: str) -> str:
    """Name the file that holds a model's contract where `models.toml` does not say."""
    return f"{model}.contract.toml"


def contract_section(model: Section, own: str, folder: Path) -> Section:
    """Open a model's contract: in `models.toml`, in the file that it names there, or in the model's own file."""
    if model.holds("contract") and not model.holds_text("contract"):
        return model.section("contract")
    if not model.holds("contract") and not (folder / own).is_file():
        model.wrong("contract", f"is missing; write it here, or publish the model, which leaves one in '{own}'")
        return model.nothing("contract")
    name = model.text("contract", own)
    try:
        if Path(name).name != name:
            raise OSError
        values = tomllib.loads((folder / name).read_text("utf-8"))
    except OSError:
        how = "python -m shared.infer_contract FILE.csv --label LABEL > NAME.contract.toml"
        model.wrong("contract", f"names '{name}', which is no file beside models.toml; make one with `{how}`")
        return model.nothing("contract")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as unreadable:
        model.wrong("contract", f"names '{name}', which is no TOML: {unreadable}")
        return model.nothing("contract")
    return model.beside(name, values)


def contract_toml(contract: Contract) -> str:
    """Write a contract as such a file."""
    lines = [f"label = {_text(contract.label)}"]
    if contract.positive:
        lines.append(f"positive = {_text(contract.positive)}")
    lines.append(f"min_rows = {contract.min_rows}")
    lines.append(f"missing = [{', '.join(map(_text, sorted(contract.missing)))}]")
    if contract.separator != ",":
        lines.append(f"separator = {_text(contract.separator)}")
    lines += ["", "[columns]", *(f"{_text(column.name)} = {_spec(column)}" for column in contract.columns)]
    note = "" if contract.task is Task.TWO_CLASS else f'# The model needs: task = "{contract.task.value}"\n'
    return note + "\n".join(lines) + "\n"


def _spec(column: Column) -> str:
    parts = [f'kind = "{column.kind.value}"']
    if column.values:
        parts.append(f"values = [{', '.join(map(_text, sorted(column.values)))}]")
    if column.required:
        parts.append("required = true")
    if column.max_missing < 1:
        parts.append(f"max_missing = {column.max_missing:g}")
    return f"{{ {', '.join(parts)} }}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
