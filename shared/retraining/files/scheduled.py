"""What time alone brings about: schedules that are due, and windows that have been open long enough."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from shared.adapters.models_table import ModelTable
from shared.domain.lifecycle import schedule
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import DatasetChanged, ServiceUnavailable, StateConflict
from shared.logs import event, surprise
from shared.retraining import Clock
from shared.retraining.files.drifting import Drifting
from shared.retraining.files.gathering import Gathering
from shared.retraining.training.advancing import Advancing

_log = logging.getLogger(__name__)


class Scheduled:
    """Starts the runs whose time has come; a repeated or overlapping tick starts nothing twice."""

    def __init__(
        self,
        models: Mapping[str, Model],
        records: ModelTable,
        gathering: Gathering,
        drifting: Drifting,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._models, self._records, self._gathering = models, records, gathering
        self._drifting, self._advancing, self._clock = drifting, advancing, clock

    def retrain_due(self) -> None:
        """Look at every model; one model's trouble does not hold up the others."""
        for model in self._models.values():
            try:
                run = self._look(model)
                if run:
                    self._advancing.advance(run)
            except (StateConflict, DatasetChanged) as moved:
                event(_log, "schedule.postponed", model=model.name, reason=str(moved))
            except ServiceUnavailable as later:
                event(_log, "run.delayed", level=logging.WARNING, model=model.name, reason=str(later))
            except Exception:
                surprise(_log, "schedule.failed", model=model.name)

    def _look(self, model: Model) -> Run | None:
        drift = self._drifting.reason(model, self._gathering.waiting(model)) if model.drift else ""
        if drift and (run := self._gathering.gather(model, drift)):
            self._drifting.note(model)
            return run
        if model.schedule:
            return self._keep_schedule(model)
        if model.batching:
            return self._gathering.close_window(model)
        # Files that waited for a schedule or window which models.toml no longer has.
        return self._gathering.gather(model, "the model no longer has a schedule or window")

    def _keep_schedule(self, model: Model) -> Run | None:
        record, now = self._records.load(model.name), self._clock()
        last = record.last_scheduled_at
        if last is None:
            self._records.save(replace(record, last_scheduled_at=now))
            return None
        if not schedule.is_due(model.schedule, last, now):
            return None
        run = self._gathering.gather(model, f"the schedule '{model.schedule}' was due")
        if run is None:
            event(_log, "schedule.nothing_new", model=model.name, since=last.isoformat())
        elif self._gathering.waiting(model):
            return run  # more waits than one run may include; the next tick goes on
        self._records.save(replace(record, last_scheduled_at=now))
        return run
