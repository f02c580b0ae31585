"""What is recorded of runs, files and calls. This one records nothing, and still ties calls to their run's trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.domain.data.dataset import Dataset
from shared.domain.lifecycle.runs import Run
from shared.telemetry.identifiers import traceparent_of

OFF, LOG, OTLP = "off", "log", "otlp"
DESTINATIONS = (OFF, LOG, OTLP)


class Recorder:
    """Sees what happens; costs nothing where nothing is recorded."""

    def run_saved(self, run: Run) -> None:
        """A run was saved; it may have come into a new state."""

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


def recorder_for(destination: str) -> Recorder:
    """Return a recorder that sends what it sees to one of `DESTINATIONS`."""
    if destination == OFF:
        return Recorder()
    from shared.telemetry.opentelemetry_recorder import OpenTelemetryRecorder  # only who records waits for the SDK

    return OpenTelemetryRecorder(destination)
