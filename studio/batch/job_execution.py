"""
What the process of one batch job does: fetch the data, train or score, write the outputs, say how it ended.

It holds the caller's credentials and parses the caller's file, so it shares nothing with the worker but a pipe. Storage
that does not answer makes it wait; what is made by then waits with it and is not made again.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from shared.logs import event
from shared.wire import BlobReference
from studio.batch.job_guard import die_first, end_with_the_worker, give_way, watch_memory
from studio.batch.job_order import MADE, JobOrder, Outcome
from studio.batch.job_outputs import scored_outputs, trained_outputs
from studio.batch.jobs import JobState
from studio.blobs.blob_access import BlobAccess, BlobFault, BlobUnreachable
from studio.blobs.connection import StorageAccount
from studio.engine.errors import EngineError, ModuleError
from studio.engine.experiment import parse_experiment
from studio.log_lines import configure_logging

_INPUT, _OUTPUT = "Web service input", "Web service output"
_FILE_NOT_READABLE, _LIBRARY, _OUT_OF_MEMORY = 30, 1000, 138  # Studio's module error numbers
_ASK_AGAIN_S = 1.0
_MIB = 2**20

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


def perform(pipe: Connection, order: JobOrder) -> None:
    """Run one order and send its outcome; the entry point of the process."""
    configure_logging(as_json=order.logs_json, about=order.ids)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides what ends
    end_with_the_worker(pipe)
    die_first()
    give_way()
    watch_memory(order.limits.memory_bytes, lambda added: _end_for_memory(pipe, order, added))
    pipe.send_bytes(outcome_of(order, made=lambda: pipe.send_bytes(MADE)).to_bytes())


def outcome_of(order: JobOrder, made: Callable[[], None] = lambda: None) -> Outcome:
    """
    Run one order in this process; every failure becomes an outcome.

    Args:
        made: Called once, when only the outputs have still to be written.
    """
    try:
        _execute(order, made)
    except ModuleError as error:
        return Outcome.of_module(error)
    except EngineError as error:
        return Outcome.failed(order.module, _LIBRARY, str(error))
    except MemoryError:
        return Outcome.failed(order.module, _OUT_OF_MEMORY, f"memory is exhausted; {order.advice}")
    except Exception as error:
        _log.exception("job.broken")
        kind = type(error).__name__
        return Outcome.failed(
            order.module, _LIBRARY, f"the library ended with {kind}; the service's log holds the rest"
        )
    return Outcome(JobState.FINISHED)


def _execute(order: JobOrder, made: Callable[[], None]) -> None:
    experiment = parse_experiment(order.experiment, "the published experiment")
    blobs = BlobAccess(StorageAccount.own(order.storage), order.hosts)
    with _timed("job.fetched"):
        source = _fetched(order, blobs, order.request.inputs[experiment.input_name])
    with _timed("job.scored" if order.model_file else "job.trained"):
        outputs = (scored_outputs if order.model_file else trained_outputs)(order, experiment, source)
    made()
    with _timed("job.written"):
        for name, reference in order.request.outputs.items():
            _write(order, blobs, reference, outputs[name])


@contextmanager
def _timed(name: str) -> Iterator[None]:
    """Log that a part of the job is done, and in how many seconds."""
    begun = time.perf_counter()
    yield
    event(_log, name, seconds=round(time.perf_counter() - begun, 3))


def _fetched(order: JobOrder, blobs: BlobAccess, reference: BlobReference) -> Path:
    path = Path(order.directory) / f"input{reference.extension}"
    try:
        _patiently(order, lambda: blobs.download(reference, path, limit=order.limits.input_bytes))
    except BlobFault as fault:
        raise ModuleError(_INPUT, _FILE_NOT_READABLE, str(fault)) from fault
    return path


def _write(order: JobOrder, blobs: BlobAccess, reference: BlobReference, data: bytes | Path) -> None:
    try:
        _patiently(order, lambda: blobs.write(reference, data))
    except BlobFault as fault:
        raise ModuleError(_OUTPUT, _LIBRARY, str(fault)) from fault


def _patiently(order: JobOrder, action: Callable[[], _Answer]) -> _Answer:
    """Repeat an action while storage does not answer, for as long as the limits allow."""
    until = time.monotonic() + order.limits.outage_seconds
    while True:
        try:
            return action()
        except BlobUnreachable as fault:
            if time.monotonic() >= until:
                raise
            event(_log, "storage.awaited", level=logging.WARNING, reason=str(fault))
            time.sleep(_ASK_AGAIN_S)


def _end_for_memory(pipe: Connection, order: JobOrder, added: int) -> None:
    allowed = order.limits.memory_bytes // _MIB
    problem = f"memory: the job took {added // _MIB} MiB and may take {allowed} MiB; {order.advice}"
    pipe.send_bytes(Outcome.failed(order.module, _OUT_OF_MEMORY, problem).to_bytes())
    os._exit(0)
