"""One tick over all open runs: many at once, models in turn, a service that is away asked only a few times."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.limits import in_turn
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.lifecycle.steps import AT_ENDPOINTS, AT_SERVICE
from shared.domain.model import Model
from shared.errors import ServiceUnavailable, StateConflict
from shared.logs import surprise
from shared.retraining import Clock
from shared.retraining.training.advancing import Advancing, Progress
from shared.telemetry.recorder import Recorder
from shared.threads import in_threads

_log = logging.getLogger(__name__)
_AT_ONCE = 32  # mostly waiting for answers: at 50 ms each that is 640 runs a second, if the processor keeps up
_ENOUGH_FAILURES = 3  # in a row: the service is away, and the other runs need not find out one by one


class Polling:
    """Advances every run whose time has come; ticks may overlap, since every save is conditional."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        advancing: Advancing,
        clock: Clock,
        recorder: Recorder | None = None,
    ) -> None:
        self._models, self._runs, self._advancing, self._clock = models, runs, advancing, clock
        self._recorder, self._ticked_at = recorder or Recorder(), clock()

    def tick(self) -> list[str]:
        """Advance every open run that is due; return the messages that hand runs over to evaluation."""
        since, self._ticked_at = self._ticked_at, self._clock()
        self._recorder.ticked((self._ticked_at - since).total_seconds())
        errands, outages = self._errands(self._runs.due(self._clock())), _Outages()
        done = in_threads(lambda runs: self._run_errand(runs, outages), errands, _AT_ONCE)
        looks = [look for each in done for look in each]
        self._runs.save_all([run for look in looks if (run := self._advancing.waiting(look))])
        return [json.dumps({"model": look.run.model, "run": look.run.id}) for look in looks if look.is_handed_over]

    def _errands(self, due: Iterable[Run]) -> list[list[Run]]:
        """Put runs in their order; those in one line of their model are one errand, the oldest first."""
        errands: list[list[Run]] = []
        queues: dict[tuple[str, str], list[Run]] = {}
        for run in in_turn(due):
            line = self._line_of(run)
            queue = queues.get((run.model, line)) if line else None
            if queue is not None:
                queue.append(run)
                continue
            errands.append([run])
            if line:
                queues[run.model, line] = errands[-1]
        return errands

    def _line_of(self, run: Run) -> str:
        """Name what only one run of a model after the other can have; empty where a run has to share nothing."""
        model = self._models.get(run.model)
        if run.state is RunState.RECEIVED:
            return "limits" if model and model.limits.are_set else ""
        return "endpoints" if run.state in AT_ENDPOINTS else ""

    def _run_errand(self, runs: list[Run], outages: _Outages) -> list[Progress]:
        """
        Look at runs one after the other. Behind the first that a limit keeps back, all are kept back; behind the first
        that is handed over, the others wait for the next tick: they would find the endpoints in use.
        """
        looks: list[Progress] = []
        for run in runs:
            obstacle = looks[-1].obstacle if looks else ""
            look = Progress(run, obstacle=obstacle) if obstacle else self._look(run, outages)
            if look.is_stopped:
                looks.append(look)
            if look.is_handed_over and run.state in AT_ENDPOINTS:
                break
        return looks

    def _look(self, run: Run, outages: _Outages) -> Progress:
        model = self._models.get(run.model)
        at_training = run.state is RunState.RECEIVED or run.state in AT_SERVICE
        service = urlsplit(model.training.jobs_url).netloc if model and at_training else ""
        if away := outages.of(service):
            return Progress(run, unavailable=away)
        try:
            look = self._advancing.look(run)
        except StateConflict:
            return Progress(run)  # another worker has it
        except Exception:
            surprise(_log, "run.stuck", run_id=run.id, model=run.model)  # and no business of the other runs
            return Progress(run)
        outages.note(service, look.unavailable)
        return look


class _Outages:
    """Which services failed so often in a row that this tick asks them no more; a lost update costs one question."""

    def __init__(self) -> None:
        self._failures: dict[str, list[ServiceUnavailable]] = {}

    def of(self, service: str) -> ServiceUnavailable | None:
        """Return the last failure of a service that is away."""
        failures = self._failures.get(service, [])
        return failures[-1] if len(failures) >= _ENOUGH_FAILURES else None

    def note(self, service: str, failure: ServiceUnavailable | None) -> None:
        """Count a failure, or forget them all: the service has answered."""
        if not service:
            return
        if failure is None or failure.status in (401, 408):  # an answer, about one run alone
            self._failures.pop(service, None)
        else:
            self._failures[service] = [*self._failures.get(service, []), failure]
