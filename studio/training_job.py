"""
What the process of one training job does: fetch the data, train, write the outputs, say how it ended.

It holds the caller's credentials and parses the caller's file, so it shares nothing with the worker but a pipe.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from shared.wire import BlobReference
from studio.blob_access import BlobAccess, BlobFault
from studio.connection import StorageAccount
from studio.engine.errors import EngineError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.training import Trained, train
from studio.jobs import JobState
from studio.metrics_output import in_format
from studio.training_order import Outcome, TrainingOrder

_INPUT, _OUTPUT, _TRAINER = "Web service input", "Web service output", "Train Model"
_FILE_NOT_READABLE, _LIBRARY, _OUT_OF_MEMORY = 30, 1000, 138  # Studio's module error numbers

_log = logging.getLogger(__name__)


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


def _execute(order: TrainingOrder) -> None:
    experiment = parse_experiment(order.experiment, "the published experiment")
    blobs = BlobAccess(StorageAccount.parse(order.storage), order.hosts)
    trained = _train(order, experiment, blobs)
    for name, reference in order.request.outputs.items():
        is_model = name == experiment.model_output
        data = trained.model_file if is_model else in_format(trained.metrics_csv, reference.extension)
        _write(blobs, reference, data)


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
