"""What a model file holds, for a person who was handed one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.errors import ConfigError
from studio.commands.administration import Finding
from studio.engine.model_file import ModelFile


def inspect_model(path: Path) -> Finding:
    """
    Describe a `.ilearner`, which may come from anywhere: it is data, read in bounded memory.

    Raises:
        ConfigError: There is no such file.
        ModelFileError: It is not a model.
    """
    if not path.is_file():
        raise ConfigError("inspect", [f"there is no file {path}"])
    data = path.read_bytes()
    model = ModelFile.read(data)
    columns = {name: kind.wire_name for name, kind in model.schema.columns.items()}
    values = {
        "experiment": model.experiment,
        "learner": model.learner.name,
        "parameters": dict(model.learner.parameters),
        "columns": columns,
        "label": model.schema.label,
        "output_columns": {name: kind.wire_name for name, kind in model.output_columns},
        "metrics": {name: str(value) for name, value in model.metrics.items()},
        "data": asdict(model.data),
        "libraries": dict(model.libraries),
        "fingerprint": model.fingerprint,
        "sha256": hashlib.sha256(data).hexdigest(),
        "n_bytes": len(data),
    }
    return Finding(values, "\n".join(_described(values)))


def _described(values: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [name, *(f"  {key}: {entry}" for key, entry in value.items())]
        else:
            lines.append(f"{name}: {value}")
    return lines
