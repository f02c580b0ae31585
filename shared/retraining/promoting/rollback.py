"""
Brings a kept model back, because a person asks: a rollback to one that has served, or an override of the gate.

Both are runs, so that they survive the death of a worker, are proven by golden rows like every promotion, and are
recorded with who asked and why.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from shared.adapters.decisions import DecisionTable
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import ARTIFACTS
from shared.adapters.tables import stored
from shared.domain.deciding.champion import Champion
from shared.domain.deciding.decision import has_served, served_before
from shared.domain.lifecycle.runs import ITSELF, Run, RunKind, RunState
from shared.domain.measuring import golden
from shared.domain.measuring.answers import answers_of
from shared.domain.measuring.measures import Answers
from shared.domain.model import Model
from shared.errors import EvaluationError, RequestRefused, ServiceError, ServiceUnavailable
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.asked_instant import asked_instant
from shared.retraining.files.uploaders import Uploaders
from shared.retraining.promoting.golden_rows import GoldenRows, GoldenStore
from shared.retraining.promoting.promotion import Promotion
from shared.retraining.showing.views import Json, run_as_json

_log = logging.getLogger(__name__)
_REFUSED = (RunState.REJECTED, RunState.HELD, RunState.TIMED_OUT)

# Columns, rows, the kept model's answers to them and what live answers now, each where it is known.
Telling = tuple[tuple[str, ...], list[Any], list[Any] | None, list[Any] | None]
_SOURCES = 10  # at most so many runs' golden rows are tried


class Rollback:
    """Puts kept models live again."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        decisions: DecisionTable,
        promotion: Promotion,
        golden_rows: GoldenStore,
        uploaders: Uploaders,
        clock: Clock,
    ) -> None:
        self._models, self._runs, self._records = models, runs, records
        self._decisions, self._promotion, self._golden = decisions, promotion, golden_rows
        self._uploaders, self._clock = uploaders, clock

    def rollback(self, model_name: str, to: str | None, by: str, reason: str) -> Json:
        """
        Ask for a model that has served before; the run that brings it back is taken up by the next evaluation.

        Args:
            to: The run that made it, `initial`, or the number of the decision that put it live; None for the last.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        model, champion = self._serving(model_name, by, reason)
        chain = self._decisions.chain(model_name)
        target = served_before(chain, champion.run_id) if to is None else to
        if to and to.isascii() and to.isdigit() and int(to) < len(chain):
            target = str(chain[int(to)].evidence.get("champion_after", {}).get("run_id", ""))
        if not target:
            raise RequestRefused(f"nothing served '{model_name}' before what serves now; GET /api/models/{model_name}")
        if not has_served(chain, target):
            raise RequestRefused(
                f"'{target}' has never served '{model_name}'; to promote a run that the gate refused, override it"
            )
        if target == champion.run_id:
            raise RequestRefused(f"'{target}' serves '{model_name}' already")
        return self._begin(model, RunKind.ROLLBACK, target, champion, by, reason)

    def override(self, run_id: str, by: str, reason: str, until: str | None = None) -> Json:
        """
        Ask that a run's model be put live although the gate did not promote it.

        Args:
            until: When the model before it comes back by itself, where no other went live meanwhile: ISO 8601. None
                for never: the override then ends with the next model that goes live.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        refused = self._runs.find_any(run_id)
        if refused is None:
            raise RequestRefused(f"there is no run '{run_id}'; GET /api/runs lists them", 404)
        model, champion = self._serving(refused.model, by, reason)
        requesters = [] if model.approval.allow_self else [refused.requested_by, *self._uploaders.of(refused)]
        objection = model.approval.objection(by, reason, requesters)
        if objection:
            raise RequestRefused(objection, 403)
        if refused.state not in _REFUSED or refused.kind is not RunKind.TRAINING:
            raise RequestRefused(
                f"run '{run_id}' is {refused.state.value}; only a run that the gate refused is overridden"
            )
        if refused.state is RunState.HELD:
            raise RequestRefused(f"run '{run_id}' is held: approve it")
        if champion.run_id == run_id:
            raise RequestRefused(f"'{run_id}' serves already")
        if self._golden.load(refused) is None:
            raise RequestRefused(f"run '{run_id}' was never scored, so its promotion could not be proven")
        ends_at = asked_instant(until) if until else None
        if ends_at and ends_at <= self._clock():
            raise RequestRefused(f"the override would be over already: {until} has passed", 400)
        return self._begin(model, RunKind.OVERRIDE, run_id, champion, by, reason, until=ends_at)

    def end_overdue(self) -> None:
        """
        Bring back what served before an override whose time is up.

        Once: where that comes to nothing, the alarm of its run calls a person.
        """
        now = self._clock()
        for name, record in self._records.all().items():
            champion, model = record.champion, self._models.get(name)
            if model is None or champion is None or not champion.is_over(now):
                continue
            before = served_before(self._decisions.chain(name), champion.run_id)
            reason = f"the override that put '{champion.run_id}' live was until {stored(champion.until)}"
            try:
                self._begin(model, RunKind.ROLLBACK, before, champion, ITSELF, reason, at=champion.until)
            except RequestRefused as busy:
                event(_log, "override.not_ended", model=name, reason=str(busy))

    def prepare(self, run: Run, model: Model, champion: Champion) -> Run:
        """Save which answers will show that the kept model is live, then the intention to put it there."""
        if champion.run_id == run.restores:
            raise EvaluationError(f"'{run.restores}' serves already")
        columns, rows, kept, live = self._telling_rows(run, model)
        self._golden.save(run, GoldenRows(columns, rows, kept, live))
        did = "rolled back" if run.kind is RunKind.ROLLBACK else "overridden"
        ends = f" until {stored(run.until)}" if run.until else ""
        reason = f"{did} to '{run.restores}' by {run.requested_by}{ends}: {run.reason}"
        return self._runs.save(run.advanced(RunState.PROMOTING, self._clock(), reason, judged_champion=champion.run_id))

    def _serving(self, model_name: str, by: str, reason: str) -> tuple[Model, Champion]:
        model = self._models.get(model_name)
        if model is None:
            raise RequestRefused(f"there is no model '{model_name}'; GET /api/models lists them", 404)
        if not by.strip() or not reason.strip():
            raise RequestRefused("say who asks and why: give `by` and `reason`", 400)
        if by.strip() == ITSELF:
            raise RequestRefused(f"'{ITSELF}' is the app itself; give your own name as `by`", 400)
        champion = self._records.load(model_name).champion
        if champion is None:
            raise RequestRefused(
                f"'{model_name}' still serves the model that was published; there is nothing to go back to"
            )
        return model, champion

    def _begin(
        self,
        model: Model,
        kind: RunKind,
        target: str,
        champion: Champion,
        by: str,
        reason: str,
        *,
        until: datetime | None = None,
        at: datetime | None = None,
    ) -> Json:
        """Make the run; the same `at` makes the same run again: given by a timer, None where a person asks now."""
        now = self._clock()
        known = self._runs.all(model.name)
        busy = [run for run in known if run.kind is not RunKind.TRAINING and not run.state.is_final]
        if busy:
            raise RequestRefused(f"run '{busy[0].id}' is bringing '{busy[0].restores}' back already")
        run_id = f"{model.name}-{at or now:%Y%m%dT%H%M%S}-{kind.value}"
        run = Run(
            id=run_id,
            model=model.name,
            state=RunState.EVALUATING,
            created_at=now,
            updated_at=now,
            datasets=(),
            dataset_keys=(),
            training_blob="",
            training_etag="",
            artifacts=f"{ARTIFACTS}/{model.name}/{run_id}",
            stages=((RunState.EVALUATING.value, now),),
            reason=reason.strip(),
            kind=kind,
            restores=target,
            until=until,
            judged_champion=champion.run_id,  # what the person saw serving
            requested_by=by.strip(),
            is_announced=at is None,  # who asked hands it over; what a timer makes, the next tick does
        )
        event(_log, "rollback.requested", model=model.name, run_id=run.id, restores=target, by=run.requested_by)
        return run_as_json(self._runs.create(run))

    def _telling_rows(self, run: Run, model: Model) -> Telling:
        """Return rows, what the kept model answers to them, and what live answers now; most different first."""
        alike: Telling | None = None
        for columns, rows, kept in self._recorded(run):
            live = self._answers_now(run, model, columns, rows)
            if live is None:  # what serves now cannot even be asked: all the more reason to go back
                return columns, rows, kept, None
            chosen = golden.choose(live, np.asarray(kept, dtype=np.float64))
            found = columns, [rows[at] for at in chosen], [kept[at] for at in chosen], live[chosen].tolist()
            if chosen:
                return found
            alike = alike or (columns, rows, kept, live.tolist())
        # Where no kept row tells the two apart, live must still give exactly the kept model's answers.
        return alike or self._otherwise(run, model)

    def _otherwise(self, run: Run, model: Model) -> Telling:
        """
        Return rows that show a model whose own answers nobody knows, since no staging endpoint was there to ask it.

        As at any promotion without one, live then has to answer otherwise than it does now.
        """
        source = self._runs.find(run.model, run.restores)
        document = self._golden.load(source) if source else None
        live = self._answers_now(run, model, document.columns, document.rows) if document else None
        if document is None or live is None:
            raise EvaluationError(f"no answers of '{run.restores}' are kept, so its return could not be proven")
        return document.columns, document.rows, None, live.tolist()

    def _answers_now(self, run: Run, model: Model, columns: tuple[str, ...], rows: list[Any]) -> Answers | None:
        try:
            return answers_of(self._promotion.live(model).score(columns, rows, run.id), model.task)
        except ServiceError as failed:
            if isinstance(failed, ServiceUnavailable) and failed.status is None:
                raise
            return None

    def _recorded(self, run: Run) -> Iterator[tuple[tuple[str, ...], list[Any], list[Any]]]:
        """Yield rows whose answers by the kept model are known: its own golden rows, and those of its challengers."""
        runs = [known for known in self._runs.all(run.model) if known.kind is RunKind.TRAINING]
        own = [known for known in runs if known.id == run.restores]
        against = [known for known in runs if known.judged_champion == run.restores]
        for source in (own + against)[:_SOURCES]:
            document = self._golden.load(source)
            answers = document.of("challenger" if source.id == run.restores else "champion") if document else None
            if document and answers:
                yield document.columns, document.rows, answers
