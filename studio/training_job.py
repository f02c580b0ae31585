"""
What the process of one training job does: fetch the data, train, write the outputs, say how it ended.

It holds the caller's credentials and parses the caller's file, so it shares nothing with the worker but a pipe. Storage
that does not answer makes it wait; what is trained by then waits with it and is not trained again.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from shared.logs import event
from shared.wire import BlobReference
from studio.blob_access import BlobAccess, BlobFault, BlobUnreachable
from studio.connection import StorageAccount
from studio.engine.errors import EngineError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.training import Trained, train
from studio.jobs import JobState
from studio.metrics_output import in_format
from studio.operation import JobLimits
from studio.training_guard import die_first, end_with_the_worker, watch_memory
from studio.training_order import TRAINED, Outcome, TrainingOrder

_INPUT, _OUTPUT, _TRAINER = "Web service input", "Web service output", "Train Model"
_FILE_NOT_READABLE, _LIBRARY, _OUT_OF_MEMORY = 30, 1000, 138  # Studio's module error numbers
_ASK_AGAIN_S = 1.0
_MIB = 2**20

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


def perform(pipe: Connection, order: TrainingOrder) -> None:
    """Run one order and send its outcome; the entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides what ends
    end_with_the_worker(pipe)
    die_first()
    watch_memory(order.limits.memory_bytes, lambda added: _end_for_memory(pipe, order.limits, added))
    pipe.send_bytes(outcome_of(order, trained=lambda: pipe.send_bytes(TRAINED)).to_bytes())


def outcome_of(order: TrainingOrder, trained: Callable[[], None] = lambda: None) -> Outcome:
    """
    Run one order in this process; every failure becomes an outcome.

    Args:
        trained: Called once, when only the outputs have still to be written.
    """
    try:
        _execute(order, trained)
    except ModuleError as error:
        return Outcome.of_module(error)
    except EngineError as error:
        return Outcome.failed(_TRAINER, _LIBRARY, str(error))
    except MemoryError:
        return Outcome.failed(_TRAINER, _OUT_OF_MEMORY, "memory is exhausted; train on fewer rows or columns")
    except Exception as error:
        _log.exception("job.broken %s", order.job_id)
        kind = type(error).__name__
        return Outcome.failed(_TRAINER, _LIBRARY, f"the library ended with {kind}; the service's log holds the rest")
    return Outcome(JobState.FINISHED)


def _execute(order: TrainingOrder, trained: Callable[[], None]) -> None:
    experiment = parse_experiment(order.experiment, "the published experiment")
    blobs = BlobAccess(StorageAccount.parse(order.storage), order.hosts)
    made = _train(order, experiment, blobs)
    trained()
    for name, reference in order.request.outputs.items():
        is_model = name == experiment.model_output
        data = made.model_file if is_model else in_format(made.metrics_csv, reference.extension)
        _write(order, blobs, reference, data)


def _train(order: TrainingOrder, experiment: Experiment, blobs: BlobAccess) -> Trained:
    reference = order.request.inputs[experiment.input_name]
    path = Path(order.directory) / f"input{reference.extension}"
    limit = order.limits.input_bytes
    try:
        _patiently(order, lambda: blobs.download(reference, path, limit=limit))
    except BlobFault as fault:
        raise ModuleError(_INPUT, _FILE_NOT_READABLE, str(fault)) from fault
    return train(
        experiment, path, reference.extension, threads=order.threads, parameters=dict(order.request.parameters)
    )


def _write(order: TrainingOrder, blobs: BlobAccess, reference: BlobReference, data: bytes) -> None:
    try:
        _patiently(order, lambda: blobs.write(reference, data))
    except BlobFault as fault:
        raise ModuleError(_OUTPUT, _LIBRARY, str(fault)) from fault


def _patiently(order: TrainingOrder, action: Callable[[], _Answer]) -> _Answer:
    """Repeat an action while storage does not answer, for as long as the limits allow."""
    until = time.monotonic() + order.limits.outage_seconds
    while True:
        try:
            return action()
        except BlobUnreachable as fault:
            if time.monotonic() >= until:
                raise
            event(_log, "storage.awaited", level=logging.WARNING, job_id=order.job_id, reason=str(fault))
            time.sleep(_ASK_AGAIN_S)


def _end_for_memory(pipe: Connection, limits: JobLimits, added: int) -> None:
    problem = (
        f"memory: training took {added // _MIB} MiB and may take {limits.memory_bytes // _MIB} MiB; "
        "train on fewer rows or columns"
    )
    pipe.send_bytes(Outcome.failed(_TRAINER, _OUT_OF_MEMORY, problem).to_bytes())
    os._exit(0)
