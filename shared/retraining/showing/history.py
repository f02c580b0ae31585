"""What the decisions say: what served when and why, and whether the chain is whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.adapters.decisions import DecisionTable
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.deciding.champion import INITIAL, Champion
from shared.domain.deciding.decision import Decision, changing_at, decider, problems_of, serving_at
from shared.domain.lifecycle.runs import RunState
from shared.domain.model import Model
from shared.errors import RequestRefused
from shared.retraining import Clock
from shared.retraining.asked_instant import asked_instant

Json = dict[str, Any]
_COLUMNS = (
    "model", "number", "at", "outcome", "run_id", "reason", "paired", "golden_rows_tell", "metric", "champion",
    "challenger", "gain", "lower", "upper", "champion_before", "champion_after", "decided_by", "decided_because",
    "requested_by",
    "files", "previous", "hash",
)  # fmt: skip


class History:
    """Reads the decisions and the champions."""

    def __init__(
        self, models: Mapping[str, Model], runs: RunTable, records: ModelTable, decisions: DecisionTable, clock: Clock
    ) -> None:
        self._models, self._runs, self._records = models, runs, records
        self._decisions, self._clock = decisions, clock

    def models(self) -> Json:
        """Return every declared model with what serves."""
        return {"models": [self._model(model) for _, model in sorted(self._models.items())]}

    def model(self, name: str) -> Json:
        """
        Return one model.

        Raises:
            RequestRefused: It is not declared.
        """
        return self._model(self._declared(name))

    def serving(self, name: str, at: str | None) -> Json:
        """
        Return what served at an instant: which model, from which files, on which evidence, by whose leave.

        Args:
            at: ISO 8601; None for now.

        Raises:
            RequestRefused: The model is not declared, or the instant cannot be read.
        """
        self._declared(name)
        instant = asked_instant(at) if at else self._clock()
        chain = self._decisions.chain(name)
        link, change = serving_at(chain, instant), changing_at(chain, instant)
        unsure = f"run '{change.run_id}' was changing the live endpoint ({change.outcome})" if change else None
        unsure = unsure or self._under_way(name, instant)
        if link is None:
            before = f"the model that was published with the service; no decision was made by {stored(instant)}"
            serving: Json = {"run_id": INITIAL, "reason": before}
            return {"model": name, "at": stored(instant), "serving": serving, "unsure": unsure}
        evidence = link.evidence
        after = evidence.get("champion_after", {})
        made = [d for d in chain if d.run_id == after.get("run_id") and d.evidence.get("datasets") and d.at <= link.at]
        origin = made[-1] if made else link
        serving = {
            "run_id": after.get("run_id"),
            "since": link.at.isoformat(),
            "artifact": after.get("artifact"),
            "sha256": after.get("sha256"),
            "files": origin.evidence.get("datasets", []),
            "file_keys": origin.evidence.get("dataset_keys", []),
            "outcome": link.outcome,
            "placed_by": link.run_id,
            "reason": evidence.get("reason"),
            "verdict": evidence.get("verdict") or origin.evidence.get("verdict"),
            "approval": evidence.get("approval") or origin.evidence.get("approval"),
            "requested_by": evidence.get("requested_by") or None,
            "until": evidence.get("until"),
            "decision": link.number,
            "hash": link.hash,
        }
        return {"model": name, "at": stored(instant), "serving": serving, "unsure": unsure}

    def _under_way(self, name: str, at: datetime) -> str | None:
        """Say which run has been changing the live endpoint since before an instant, and has not ended yet."""
        for run in self._runs.open(name, (RunState.PROMOTING, RunState.RESTORING)):
            began = next(began for state, began in reversed(run.stages) if state == RunState.PROMOTING.value)
            if began <= at:
                return f"run '{run.id}' is changing the live endpoint ({run.state.value})"
        return None

    def decisions(self, model: str | None) -> list[Decision]:
        """
        Return the decisions of one model or of all, oldest first.

        Raises:
            RequestRefused: There is no such model, now or in the decisions.
        """
        self._known(model)
        chains = [self._decisions.chain(name) for name in ([model] if model else self._decisions.models())]
        return sorted((link for chain in chains for link in chain), key=lambda link: (link.at, link.model, link.number))

    def decisions_json(self, model: str | None) -> Json:
        """Return the decisions as JSON."""
        return {"decisions": [link.as_json() for link in self.decisions(model)]}

    def decisions_csv(self, model: str | None) -> str:
        """Return the decisions as CSV, one line each."""
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        for link in self.decisions(model):
            writer.writerow({name: _cell(value) for name, value in _flat(link).items()})
        return buffer.getvalue()

    def verify(self, model: str | None) -> Json:
        """
        Check the chain of one model or of all; `whole` says whether nothing is wrong.

        Raises:
            RequestRefused: There is no such model, now or in the decisions.
        """
        self._known(model)
        checked = []
        for name in [model] if model else self._noted():
            chain, head = self._decisions.chain(name), self._decisions.head(name)
            problems = problems_of(chain, head)
            newest = chain[-1].hash if chain else ""
            checked.append({"model": name, "decisions": len(chain), "head": newest, "problems": problems})
        return {"whole": not any(chain["problems"] for chain in checked), "chains": checked}

    def _noted(self) -> list[str]:
        """Return every model that has decisions, or of which a note elsewhere says that it had."""
        noted = {name for name, record in self._records.all().items() if record.head}
        return sorted({*self._decisions.models(), *noted})

    def _known(self, model: str | None) -> None:
        if model is not None and model not in self._models and model not in self._noted():
            raise RequestRefused(
                f"there is no model '{model}', and no decision of one; GET /api/models lists them", 404
            )

    def _declared(self, name: str) -> Model:
        model = self._models.get(name)
        if model is None:
            raise RequestRefused(f"there is no model '{name}'; GET /api/models lists them", 404)
        return model

    def _model(self, model: Model) -> Json:
        record = self._records.load(model.name)
        return {
            "name": model.name,
            "task": model.task.value,
            "folder": model.folder,
            "schedule": model.schedule or None,
            "approval": {"ask": model.approval.ask.value, "allow_self": model.approval.allow_self},
            "gate": "none" if model.gate is None else model.gate.metric,
            "paired": not model.unpaired_because,
            "champion": _champion(record.champion),
            "anchor": _champion(record.anchor),
            "holdout_uses": record.holdout_uses,
            "busy": record.is_leased(self._clock()),
            "last_scheduled_at": stored(record.last_scheduled_at) or None,
        }


def _champion(champion: Champion | None) -> Json | None:
    if champion is None:
        return None
    return {
        "run_id": champion.run_id,
        "artifact": champion.artifact,
        "sha256": champion.sha256,
        "since": stored(champion.since),
        "trained_at": stored(champion.trained_at) or None,
        "placed_by": champion.placed_by or None,
        "restored": champion.restored,
        "until": stored(champion.until) or None,
    }


def _flat(link: Decision) -> Json:
    evidence = link.evidence
    verdict, approval = evidence.get("verdict") or {}, evidence.get("approval") or {}
    return {
        "model": link.model,
        "number": link.number,
        "at": link.at.isoformat(),
        "outcome": link.outcome,
        "run_id": link.run_id,
        "reason": evidence.get("reason"),
        **{
            name: verdict.get(name) for name in ("paired", "metric", "champion", "challenger", "gain", "lower", "upper")
        },
        "golden_rows_tell": evidence.get("golden_rows_tell"),
        "champion_before": evidence.get("champion_before"),
        "champion_after": (evidence.get("champion_after") or {}).get("run_id"),
        "decided_by": decider(link) or None,
        "requested_by": evidence.get("requested_by") or None,
        "decided_because": approval.get("reason"),
        "files": ";".join(evidence.get("datasets", [])),
        "previous": link.previous,
        "hash": link.hash,
    }


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula: names of files are the sender's."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
