"""Runs and evidence to make reports of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from shared.declarations.models_file import load_models
from shared.domain.data.dataset import Dataset, DatasetState
from shared.domain.data.drift import Profile
from shared.domain.gate import GateRule, MetricRule, judge
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Model
from shared.domain.task import Task
from shared.reporting.facts import Subject

BEGAN = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLASSES = ("<b>bold</b>", "plain", "third")
HOSTILE = "census/<img src=x onerror=alert(1)>|`*.csv"
_MODELS = Path(__file__).parents[2] / "models.toml"


def census() -> Model:
    names = ("JOBS", "LIVE", "STAGING")
    addresses = {f"CENSUS_{n}_URL": f"https://s.example/{n}" for n in names}
    environment = addresses | {f"CENSUS_{n}_KEY": "planted" for n in names}
    environment["CENSUS_JOBS_URL"] += "/jobs"
    for n in ("LIVE", "STAGING"):
        environment[f"CENSUS_{n}_URL"] += f"/endpoints/{n.lower()}"
    return load_models(_MODELS, environment)["census"]


def scores(n_rows: int = 2000, *, better: bool = True, seed: int = 7) -> PairedScores:
    """Scores of two models of which the challenger is the better or the worse one."""
    generator = np.random.default_rng(seed)
    labels = generator.random(n_rows) < 0.25

    def answers(noise: float) -> Any:
        return 1 / (1 + np.exp(-(np.where(labels, 1.2, -1.2) + generator.normal(0, noise, n_rows))))

    champion, challenger = answers(1.6), answers(1.1)
    return PairedScores(labels, champion, challenger) if better else PairedScores(labels, challenger, champion)


def run(state: RunState = RunState.PROMOTED, **changes: Any) -> Run:
    path = (RunState.RECEIVED, RunState.SUBMITTED, RunState.TRAINING, RunState.EVALUATING, state)
    stages = tuple((stage.value, BEGAN + timedelta(seconds=2 * n)) for n, stage in enumerate(path))
    fields: dict[str, Any] = {
        "id": "census-1", "model": "census", "state": state, "created_at": BEGAN, "updated_at": stages[-1][1],
        "datasets": (HOSTILE,), "dataset_keys": ("k",), "training_blob": f"training-data/{HOSTILE}",
        "training_etag": "0x1", "artifacts": "artifacts/census/census-1", "job_id": "j", "stages": stages,
        "judged_champion": "initial",
    }  # fmt: skip
    return Run(**fields | changes)


def _data() -> tuple[Profile, Profile]:
    """Describe a run's data and the champion's; `age` has moved, `<sex>` hardly, and there are more rich people."""
    shares = [{"<=50K": 0.7, ">50K": 0.3}, {"<=50K": 0.76, ">50K": 0.24}]
    texts = [
        {"age": {"old": old, "young": 1 - old}, "<sex>": {"f": f, "m": 1 - f}} for old, f in ((0.81, 0.5), (0.5, 0.52))
    ]
    own, champions = (Profile(600, {}, text, {}, label) for text, label in zip(texts, shares, strict=True))
    return own, champions


VERSIONS = {"app": "abc123", "service": ""}


def subject(run: Run, rows: PairedScores | None, others: tuple[Run, ...] = ()) -> Subject:
    file = Dataset(
        "k",
        "census",
        "training-data",
        HOSTILE,
        "0x1",
        9,
        BEGAN,
        state=DatasetState.ACCEPTED,
        rows=600,
        sha256="ab" * 32,
    )
    classes = CLASSES if rows is not None and rows.task is Task.MULTICLASS else ()
    return Subject(
        run, census(), rows, [file], others, "census-1", "cd" * 32, 3, 20, classes, *_data(), VERSIONS, BEGAN
    )


def of_many_classes(n_rows: int = 600) -> PairedScores:
    """Answers of two multi-class models of which the challenger is the better one."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, len(CLASSES), n_rows)

    def answers(certainty: float) -> Any:
        raw = generator.random((n_rows, len(CLASSES))) + certainty * np.eye(len(CLASSES))[labels]
        return raw / raw.sum(axis=1, keepdims=True)

    return PairedScores(labels, answers(0.4), answers(0.8), Task.MULTICLASS)


def of_numbers(n_rows: int = 600) -> PairedScores:
    """Predictions of two regression models of which the challenger is the better one."""
    generator = np.random.default_rng(7)
    labels = generator.normal(1000, 200, n_rows)
    champion, challenger = (labels + generator.normal(0, noise, n_rows) for noise in (90, 60))
    return PairedScores(labels, champion, challenger, Task.REGRESSION)


_METRIC = {Task.MULTICLASS: "Overall accuracy", Task.REGRESSION: "Mean Absolute Error"}


def judged(rows: PairedScores, state: RunState = RunState.PROMOTED, **changes: Any) -> Run:
    gate = census().gate
    assert gate
    metric = _METRIC.get(rows.task)
    rule = GateRule(metrics=(MetricRule(metric, margin=5.0),)) if metric else gate
    verdict = judge({"AUC": 0.9, "Accuracy": 0.8}, rows, rule)
    return run(state, verdict=verdict.as_json(), reason=verdict.reason, **changes)
