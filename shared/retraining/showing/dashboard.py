"""Gathers what the dashboard shows; how it looks is the business of `shared.pages`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.adapters.decisions import DecisionTable
from shared.adapters.ledger import Ledger
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.data.dataset import Dataset
from shared.domain.deciding.champion import INITIAL
from shared.domain.deciding.decision import Decision, decider
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, Run, RunKind, RunState
from shared.domain.model import Model
from shared.errors import RequestRefused
from shared.pages.offers import offers_of_file, offers_of_model, offers_of_run
from shared.reporting.history import history_of
from shared.retraining import Clock
from shared.retraining.showing.views import run_as_json

Json = dict[str, Any]
_DAYS = 30
_PAGE = 50  # models on one page
_LISTED = 20
_MARKS = 12
_NOBODYS = frozenset(state.value for state in CAME_TO_NOTHING)  # a person's cancel says so in its reason
_READ, _READ_OF_MODEL = 2000, 100  # runs, however many there are


class Dashboard:
    """Everything a person looks at, of all models or of one."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        ledger: Ledger,
        decisions: DecisionTable,
        clock: Clock,
    ) -> None:
        self._models, self._runs, self._records = models, runs, records
        self._ledger, self._decisions, self._clock = ledger, decisions, clock

    def shell(self) -> str:
        """Return the page that holds no data."""
        # Templates take a tenth of a second to load: only who looks at a page waits for them.
        from shared.pages.dashboard_page import dashboard_html

        return dashboard_html()

    def overview(self, search: str, page: str) -> str:
        """
        Return the overview of all models.

        Args:
            search: Only models whose name holds it.
            page: From 1; anything else shows the first.
        """
        from shared.pages.dashboard_page import overview_html

        since = self._clock() - timedelta(days=_DAYS)
        runs = self._runs.recent(since, _READ)
        held = [run for run in runs if run.state is RunState.HELD]
        running = [run for run in runs if not run.state.is_final and run.state is not RunState.HELD]
        names = [name for name in sorted(self._models) if search.casefold() in name]
        n_pages = max(1, -(-len(names) // _PAGE))
        shown = min(int(page), n_pages) if page.isascii() and page.isdigit() and int(page) > 0 else 1
        view = {
            "days": _DAYS,
            "held": [_run(run) for run in _newest(held)],
            "n_held": len(held),
            "open": [_run(run) for run in _newest(running)],
            "n_open": len(running),
            "ended": [_run(run) for run in _newest(run for run in runs if run.state.is_final)],
            "models": self._rows(names[(shown - 1) * _PAGE : shown * _PAGE], runs),
            "n_models": len(names),
            "search": search,
            "page": shown,
            "n_pages": n_pages,
            "quarantined": [_file(file) for file in self._ledger.quarantined(since)[:_LISTED]],
            "decisions": [_decision(link) for link in self._decisions.recent(since)[:_LISTED]],
        }
        return overview_html(view, self._clock())

    def model(self, name: str) -> str:
        """
        Return one model's page.

        Raises:
            RequestRefused: It is not declared.
        """
        from shared.pages.dashboard_page import model_html

        model = self._models.get(name)
        if model is None:
            raise RequestRefused(f"there is no model '{name}'; GET /api/models lists them", 404)
        (runs, _), record = self._runs.newest(name, _READ_OF_MODEL), self._records.load(name)
        champion = record.champion
        files = [file for file in self._ledger.quarantined(self._clock() - timedelta(days=_DAYS)) if file.model == name]
        view = {
            "name": name,
            "folder": model.folder,
            "task": model.task.value,
            "gate": model.gate.metric if model.gate else "none",
            "metric": model.gate.metric if model.gate else "",
            "unpaired": model.unpaired_because,
            "holdout_uses": record.holdout_uses,
            "approval": model.approval.ask.value,
            "champion": champion
            and {
                "run_id": champion.run_id,
                "since": stored(champion.since),
                "trained_at": stored(champion.trained_at),
                "until": stored(champion.until),
            },
            "acts": offers_of_model(name, _can_roll_back(champion.run_id if champion else "")),
            "history": history_of(runs),
            "runs": [_run(run) for run in runs[:_LISTED]],
            "quarantined": [_file(file) for file in files[:_LISTED]],
            "decisions": [_decision(link) for link in self._decisions.chain(name)[::-1][:_LISTED]],
        }
        return model_html(view, self._clock())

    def _rows(self, names: list[str], runs: list[Run]) -> list[Json]:
        records = self._records.all()
        of_model = defaultdict(list)
        for run in runs:
            of_model[run.model].append(run)
        return [self._row(self._models[name], records, of_model[name]) for name in names]

    def _row(self, model: Model, records: Mapping[str, Any], runs: list[Run]) -> Json:
        champion = records[model.name].champion if model.name in records else None
        ended = [run for run in runs if run.state.is_final]
        return {
            "name": model.name,
            "unpaired": model.unpaired_because,
            "champion": champion.run_id if champion else "",
            "since": stored(champion.since) if champion else "",
            "last": _run(ended[0]) if ended else None,
            "marks": [_mark(run) for run in reversed(ended[:_MARKS])],
            "acts": offers_of_model(model.name, _can_roll_back(champion.run_id if champion else "")),
        }


def _mark(run: Run) -> str:
    """Return how a run ended; what a person put live is told apart."""
    by_a_person = run.kind is not RunKind.TRAINING and run.state is RunState.PROMOTED
    return run.kind.value.upper() if by_a_person else run.state.value


def _can_roll_back(champion: str) -> str:
    """Return the champion where something served before it."""
    return "" if champion == INITIAL else champion


def _newest(runs: Iterable[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: run.updated_at, reverse=True)[:_LISTED]


def _run(run: Run) -> Json:
    told = run.state.is_final or run.state is RunState.HELD
    return run_as_json(replace(run, verdict=None)) | {
        "has_report": told and not run.is_news,
        "acts": offers_of_run(run),
    }


def _file(file: Dataset) -> Json:
    return {
        "key": file.key,
        "name": file.name,
        "model": file.model,
        "seen_at": stored(file.seen_at),
        "reason": file.reason,
        "acts": offers_of_file(file),
    }


def _decision(link: Decision) -> Json:
    by = decider(link) or "the gate"
    return {
        "model": link.model,
        "number": link.number,
        "at": stored(link.at),
        "outcome": link.outcome,
        "reason": str(link.evidence.get("reason") or ""),
        "by": "–" if link.outcome in _NOBODYS else by,
    }
