"""What the soak works on: models, their holdout, and the files that are dropped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOLDOUT = "fleet/holdout.csv"
_ROWS = 60
_HOLDOUT_ROWS = 150

_DEFAULTS = f"""
[defaults]
holdout = "{HOLDOUT}"

[defaults.budgets]   # long: clocks jump in the soak, and a run that ends for lack of time is not what it looks for
queued_min = 100000
training_min = 100000
evaluation_min = 100000
promoting_min = 100000

[defaults.training]
key = "%JOBS_KEY%"
outputs = {{ output1 = ".ilearner", output2 = ".csv" }}

[defaults.gate]
metric = "AUC"

[defaults.contract]
label = "label"
positive = "yes"
min_rows = 20

[defaults.contract.columns]
x = "number"
quality = "number"
label = {{ kind = "category", values = ["no", "yes"] }}
"""
_MODEL = """
[models.{name}]
folder = "{name}"

[models.{name}.training]
jobs_url = "%SERVICE%/services/{name}/jobs"

[models.{name}.scoring]
resource = "Model [trained model]"
live = {{ url = "%SERVICE%/webservices/{name}/endpoints/live", key = "%LIVE_KEY%" }}
staging = {{ url = "%SERVICE%/webservices/{name}/endpoints/staging", key = "%STAGING_KEY%" }}
"""


def model_names(n_models: int) -> list[str]:
    """Name the models."""
    return [f"model-{number:02d}" for number in range(n_models)]


def write_models_file(path: Path, n_models: int) -> None:
    """Declare the models."""
    path.write_text(_DEFAULTS + "".join(_MODEL.format(name=name) for name in model_names(n_models)), encoding="utf-8")


def holdout() -> bytes:
    """Labelled rows that every model is judged on; the label follows x, noisily."""
    return _table(random.Random(1), _HOLDOUT_ROWS, 0.0)


@dataclass(frozen=True)
class File:
    """One file to drop; `name` is `model/file`."""

    name: str
    data: bytes
    is_broken: bool


def files(n_files: int, n_models: int, seed: int) -> Iterator[File]:
    """Yield files for all models in turn: the later the better on the whole; some broken, some the same bytes again."""
    draw = random.Random(seed)
    models = model_names(n_models)
    earlier: dict[str, list[bytes]] = {name: [] for name in models}
    for number in range(n_files):
        model = models[number % n_models]
        quality = min(max(0.15 + 0.7 * number / n_files + draw.gauss(0, 0.12), 0.01), 0.99)
        data, kind = _table(draw, _ROWS, round(quality, 6)), draw.random()
        if kind < 0.06:
            data = data.replace(b"yes", b"perhaps", 1)
        elif kind < 0.12 and earlier[model]:
            data = draw.choice(earlier[model])
        else:
            earlier[model].append(data)
        yield File(f"{model}/{number:05d}.csv", data, kind < 0.06)


def _table(draw: random.Random, n_rows: int, quality: float) -> bytes:
    lines = ["x,quality,label"]
    for _ in range(n_rows):
        x = draw.uniform(0, 100)
        lines.append(f"{x:.4f},{quality},{'yes' if x + draw.gauss(0, 15) > 50 else 'no'}")
    return ("\n".join(lines) + "\n").encode()
