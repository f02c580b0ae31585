"""
What the process of one training job does: fetch the data, train, write the outputs, say how it ended.

It holds the caller's credentials and parses the caller's file, so it shares nothing with the worker but a pipe.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import orjson

from shared.logs import masked
from shared.secret import Secret
from shared.wire import MODEL_EXTENSION, BlobReference, JobRequest
from studio.blob_access import BlobAccess, BlobFault
from studio.connection import StorageAccount
from studio.engine.errors import EngineError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.training import Trained, train
from studio.jobs import JobState
from studio.metrics_output import in_format

_INPUT, _OUTPUT, _TRAINER = "Web service input", "Web service output", "Train Model"
_FILE_NOT_READABLE, _LIBRARY, _OUT_OF_MEMORY = 30, 1000, 138  # Studio's module error numbers
_MAX_DETAILS = 4000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingOrder:
    """
    All that the process needs.

    `storage` opens the service's own account, `hosts` are those that references may lead to, `directory` is an empty
    one for temporary files, which the worker removes.
    """

    job_id: str
    experiment: str
    request: JobRequest
    storage: Secret
    hosts: frozenset[str]
    directory: str
    threads: int


@dataclass(frozen=True)
class Outcome:
    """How a job ended: FINISHED, or FAILED with details that name no credential."""

    state: JobState
    details: str | None = None

    def to_bytes(self) -> bytes:
        """Write the form that goes through the pipe."""
        return orjson.dumps({"state": self.state.value, "details": self.details})

    @classmethod
    def from_bytes(cls, data: bytes) -> Outcome:
        """Read what `to_bytes` wrote."""
        body = orjson.loads(data)
        return cls(JobState(body["state"]), body["details"])

    @classmethod
    def failed(cls, module: str, number: int, problem: str) -> Outcome:
        """Describe a failure in the form of Studio's module errors."""
        return cls(JobState.FAILED, masked(str(ModuleError(module, number, problem)))[:_MAX_DETAILS])


def perform(pipe: Connection, order: TrainingOrder) -> None:
    """Run one order and send its outcome; the entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker decides what ends
    threading.Thread(target=_end_with_the_worker, args=(pipe,), daemon=True).start()
    pipe.send_bytes(outcome_of(order).to_bytes())


def outcome_of(order: TrainingOrder) -> Outcome:
    """Run one order in this process; every failure becomes an outcome."""
    try:
        _execute(order)
    except ModuleError as error:
        return Outcome(JobState.FAILED, masked(str(error))[:_MAX_DETAILS])
    except EngineError as error:
        return Outcome.failed(_TRAINER, _LIBRARY, str(error))
    except MemoryError:
        return Outcome.failed(_TRAINER, _OUT_OF_MEMORY, "memory is exhausted; train on fewer rows or columns")
    except Exception as error:
        _log.exception("job.broken %s", order.job_id)
        kind = type(error).__name__
        return Outcome.failed(_TRAINER, _LIBRARY, f"the library ended with {kind}; the service's log holds the rest")
    return Outcome(JobState.FINISHED)


def _execute(order: TrainingOrder) -> None:
    experiment = parse_experiment(order.experiment, "the published experiment")
    blobs = BlobAccess(StorageAccount.parse(order.storage), order.hosts)
    trained = _train(order, experiment, blobs)
    for name, reference in order.request.outputs.items():
        is_model = name == experiment.model_output
        _write(blobs, reference, trained.model_file if is_model else _metrics(trained, reference))


def _train(order: TrainingOrder, experiment: Experiment, blobs: BlobAccess) -> Trained:
    reference = order.request.inputs[experiment.input_name]
    path = Path(order.directory) / f"input{reference.extension}"
    try:
        blobs.download(reference, path)
    except BlobFault as fault:
        raise ModuleError(_INPUT, _FILE_NOT_READABLE, str(fault)) from fault
    return train(
        experiment, path, reference.extension, threads=order.threads, parameters=dict(order.request.parameters)
    )


def _metrics(trained: Trained, reference: BlobReference) -> bytes:
    assert reference.extension != MODEL_EXTENSION  # noqa: S101 - refused at submission
    return in_format(trained.metrics_csv, reference.extension)


def _write(blobs: BlobAccess, reference: BlobReference, data: bytes) -> None:
    try:
        blobs.write(reference, data)
    except BlobFault as fault:
        raise ModuleError(_OUTPUT, _LIBRARY, str(fault)) from fault


def _end_with_the_worker(pipe: Connection) -> None:
    """End this process when the worker's end of the pipe closes: nobody would hear the outcome."""
    try:
        pipe.recv_bytes()
    except (EOFError, OSError):
        os._exit(3)
