"""Submits a run's job and saves its id before it is started; cancels every job that lost its run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.adapters.batch import BatchClient
from shared.adapters.blobs import BlobStore
from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.model import Model
from shared.errors import Changed, ServiceError
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.training.naming import artifact
from shared.wire import JobRequest

_log = logging.getLogger(__name__)
_TOKEN_MARGIN = timedelta(hours=1)  # a reference outlives the job that uses it


class Submission:
    """
    Submits jobs. A submit has no idempotency key: a repeated one makes a second job.

    A job whose id never reached a record cannot be known, was never started, and evaporates; every other one that is
    not its run's job is cancelled.
    """

    def __init__(self, runs: RunTable, blobs: BlobStore, batch: Callable[[Model], BatchClient], clock: Clock) -> None:
        self._runs, self._blobs, self._batch, self._clock = runs, blobs, batch, clock

    def submit(self, run: Run, model: Model) -> Run:
        """
        Submit a job that does nothing yet, and save its id.

        Raises:
            Changed: Another worker moved the run; the job just made is cancelled.
        """
        job_id = self._batch(model).submit(self._request(run, model), run.id)
        now = self._clock()
        submitted = run.advanced(
            RunState.SUBMITTED,
            now,
            job_id=job_id,
            submitted_at=run.submitted_at or now,
            stray_jobs=(*run.stray_jobs, run.job_id) if run.job_id else run.stray_jobs,
        )
        try:
            return self._runs.save(submitted)
        except Changed:
            self._drop_unless_saved(run, model, job_id)
            raise

    def drop_strays(self, run: Run, model: Model) -> Run:
        """Cancel the jobs that a later one has replaced."""
        for job_id in run.stray_jobs:
            self._drop(run, model, job_id, kept=run.job_id)
        return self._runs.save(replace(run, stray_jobs=()))

    def _request(self, run: Run, model: Model) -> JobRequest:
        lifetime = model.policy.training_budget + _TOKEN_MARGIN
        service = model.training
        return JobRequest(
            inputs={service.input: self._blobs.job_reference(run.training_blob, write=False, lifetime=lifetime)},
            outputs={
                port: self._blobs.job_reference(artifact(run, extension), write=True, lifetime=lifetime)
                for port, extension in service.outputs.items()
            },
            parameters=service.parameters,
        )

    def _drop_unless_saved(self, run: Run, model: Model, job_id: str) -> None:
        """Cancel a job that lost the race for its run; where only the answer to the save was lost, it has won."""
        current = self._runs.find(run.model, run.id)
        if current is None or current.job_id != job_id:
            self._drop(run, model, job_id, kept=current.job_id if current else "")

    def _drop(self, run: Run, model: Model, job_id: str, kept: str) -> None:
        event(_log, "job.orphaned", run_id=run.id, job_id=job_id, kept=kept)
        with suppress(ServiceError):  # it was never started, so it evaporates all the same
            self._batch(model).cancel(job_id, run.id)
