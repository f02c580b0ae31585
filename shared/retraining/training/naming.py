"""How a run and what it keeps are named, and how it begins: the same data always makes the same run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from shared.adapters.storage_layout import ARTIFACTS
from shared.domain.data.dataset import Ask, Dataset
from shared.domain.lifecycle.runs import Run, RunKind, RunState
from shared.wire import MODEL_EXTENSION


def run_id_of(model: str, at: datetime, key: str) -> str:
    """Return an id that sorts by time and that a repeated delivery makes again."""
    return f"{model}-{at:%Y%m%dT%H%M%S}-{key[:6]}"


def asked_run_id(model: str, key: str, ask: Ask) -> str:
    """Return the id of the run that a person's request makes: another than the file's own, also in the same second."""
    return run_id_of(model, ask.at, hashlib.sha256(f"{key} {ask.at.isoformat()} {ask.by}".encode()).hexdigest())


def new_run(
    run_id: str, model: str, datasets: Sequence[Dataset], training_blob: str, training_etag: str, now: datetime
) -> Run:
    """Return a run that has received its data and done nothing yet."""
    return Run(
        id=run_id,
        model=model,
        state=RunState.RECEIVED,
        created_at=now,
        updated_at=now,
        datasets=tuple(dataset.name for dataset in datasets),
        dataset_keys=tuple(dataset.key for dataset in datasets),
        training_blob=training_blob,
        training_etag=training_etag,
        artifacts=f"{ARTIFACTS}/{model}/{run_id}",
        stages=((RunState.RECEIVED.value, now),),
        overlap=sum(dataset.overlap - dataset.stripped for dataset in datasets),
        holdout=datasets[0].holdout if len({dataset.holdout for dataset in datasets}) == 1 else "",
    )


def artifact(run: Run, extension: str) -> str:
    """Return where a run's model or metrics are kept, `container/path`."""
    return f"{run.artifacts}/{'model' if extension == MODEL_EXTENSION else 'metrics'}{extension}"


def model_of(run: Run) -> str:
    """Return where the model is kept that a run puts live: its own, or the one that it brings back."""
    made_by = run.artifacts if run.kind is RunKind.TRAINING else f"{ARTIFACTS}/{run.model}/{run.restores}"
    return f"{made_by}/model{MODEL_EXTENSION}"
