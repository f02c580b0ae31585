"""
What a finished job wrote, through tokens fetched right before each use.

A token may have run out on the way, or be refused: then the job is asked once more. None is ever stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from shared.adapters.batch import BatchClient
from shared.adapters.blobs import BlobStore
from shared.adapters.http import ServiceCaller
from shared.domain.lifecycle.remedies import Remedy, remedy_of
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import EvaluationError, ServiceRejected
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.training.naming import artifact
from shared.wire import BlobReference, JobStatus

_log = logging.getLogger(__name__)
_KEPT_LIFETIME = timedelta(hours=1)  # the service copies at once
_LEAST_LEFT = timedelta(seconds=30)  # a token about to run out is as good as none
_T = TypeVar("_T")


class JobResults:
    """Hands out a run's model and metrics by reference; where the service forgot the job, the kept bytes serve."""

    def __init__(
        self, batch: Callable[[Model], BatchClient], blobs: BlobStore, caller: ServiceCaller, clock: Clock
    ) -> None:
        self._batch, self._blobs, self._caller, self._clock = batch, blobs, caller, clock

    def read(self, run: Run, model: Model, extension: str, *, limit: int) -> bytes:
        """
        Download one output, at most `limit` bytes.

        Raises:
            EvaluationError: The job wrote no such output.
        """
        operation = f"read the job's {extension} output"
        return self.use(
            run,
            model,
            extension,
            lambda reference: self._caller.fetch(operation, reference.signed_url(), limit=limit),
        )

    def use(self, run: Run, model: Model, extension: str, act: Callable[[BlobReference], _T]) -> _T:
        """
        Do something with a fresh reference to an output; once more with another one where its token is refused.

        Raises:
            EvaluationError: The job wrote no such output.
        """
        try:
            return act(self._fresh(run, model, extension))
        except ServiceRejected as refused:
            if not _is_refused_token(refused):
                raise
            event(_log, "token.refused", level=logging.WARNING, run_id=run.id, reason=str(refused))
            return act(self._fresh(run, model, extension))

    def _fresh(self, run: Run, model: Model, extension: str) -> BlobReference:
        reference = self._asked(run, model, extension)
        if reference.expires_at and reference.expires_at < self._clock() + _LEAST_LEFT:
            event(_log, "token.expired", run_id=run.id, expired_at=reference.expires_at.isoformat())
            reference = self._asked(run, model, extension)
        return reference

    def _asked(self, run: Run, model: Model, extension: str) -> BlobReference:
        report = self._batch(model).report(run.job_id, run.id)
        if report.status is JobStatus.GONE:
            return self._blobs.reference(artifact(run, extension), write=False, lifetime=_KEPT_LIFETIME)
        reference = report.result_with(extension)
        if reference is None:
            written = ", ".join(r.relative_location for r in report.results.values()) or "nothing"
            raise EvaluationError(f"the job wrote {written}; a model (.ilearner) and metrics (.csv) are needed")
        return reference


def _is_refused_token(refused: ServiceRejected) -> bool:
    by_storage = refused.status in (401, 403) and not refused.code
    return by_storage or remedy_of(refused.code, refused.status) is Remedy.FRESH_TOKEN
