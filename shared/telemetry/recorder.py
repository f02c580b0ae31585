"""What is recorded of runs, files and calls. This one records nothing, and still ties calls to their run's trace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from shared.domain.data.dataset import Dataset
from shared.domain.lifecycle.runs import Run
from shared.telemetry.identifiers import traceparent_of

OFF, LOG, OTLP = "off", "log", "otlp"
DESTINATIONS = (OFF, LOG, OTLP)


class Recorder:
    """Sees what happens; costs nothing where nothing is recorded."""

    def run_saved(self, run: Run) -> None:
        """A run was saved in a new state."""

    def file_settled(self, dataset: Dataset) -> None:
        """It is known what becomes of a file."""

    def ticked(self, since_last_s: float) -> None:
        """Open runs are looked at, so many seconds after this worker did so last."""

    @contextmanager
    def call(self, operation: str, run_id: str) -> Iterator[Mapping[str, str]]:
        """A call to a service; yields the headers that make it part of the run's trace."""
        yield {"traceparent": traceparent_of(run_id)} if run_id else {}

    def flush(self) -> None:
        """Send what is still held back."""


class LateRecorder(Recorder):
    """Makes a recorder when there is something to record: a start does not wait for what the recorder imports."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        self._make = make
        self._made: Recorder | None = None
        self._lock = threading.Lock()

    def run_saved(self, run: Run) -> None:
        """Pass it on."""
        self._recorder().run_saved(run)

    def file_settled(self, dataset: Dataset) -> None:
        """Pass it on."""
        self._recorder().file_settled(dataset)

    def ticked(self, since_last_s: float) -> None:
        """Pass it on."""
        self._recorder().ticked(since_last_s)

    @contextmanager
    def call(self, operation: str, run_id: str) -> Iterator[Mapping[str, str]]:
        """Pass it on."""
        with self._recorder().call(operation, run_id) as headers:
            yield headers

    def flush(self) -> None:
        """Send what is held back, if anything was ever recorded."""
        if self._made is not None:
            self._made.flush()

    def _recorder(self) -> Recorder:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def recorder_for(destination: str) -> Recorder:
    """Return a recorder that sends what it sees to one of `DESTINATIONS`."""
    return Recorder() if destination == OFF else LateRecorder(lambda: _opentelemetry(destination))


def _opentelemetry(destination: str) -> Recorder:
    from shared.telemetry.opentelemetry_recorder import OpenTelemetryRecorder

    return OpenTelemetryRecorder(destination)
