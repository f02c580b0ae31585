"""
The report of one run as a JSON document; HTML and Markdown show this document and nothing else.

Source of contents and order: docs/report.md. The document's shape: docs/report.schema.json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from shared.domain.data.dataset import Dataset
from shared.domain.data.drift import Profile, changed_columns, distances
from shared.domain.gate import is_unpaired
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Costs, Model
from shared.domain.task import Task
from shared.reporting.cost import cost_facts
from shared.reporting.disagreement import disagreement_facts
from shared.reporting.history import history_of
from shared.reporting.labels import label_facts
from shared.reporting.measures import measured
from shared.reporting.multiclass import multiclass_facts
from shared.reporting.regression import regression_facts
from shared.reporting.two_class import two_class_facts

FORMAT = 1  # of the document; raised when a field changes its meaning
_COLUMNS = 20  # whose drift is listed
_PROVEN = (RunState.PROMOTED, RunState.ROLLED_BACK)  # the live endpoint was asked
_CHANGED = 200  # columns that came, went or changed their kind

Json = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """
    What a report is made of.

    Attributes:
        model: Its model; None where models.toml no longer declares it.
        rows: Both models' scores of the holdout; None where there was none, or the run was not judged.
        others: Runs of the same model, in any order; the run itself may be among them.
        champion: The run whose model serves now.
        holdout: Hash of the holdout that was judged on, in hex; empty where none was.
        own_data: Description of what the run trained on; None where it is not known any more.
        champions_data: The same of the champion.
        versions: Which code ran: of the `app`, and of the `service`; empty where it does not say.
        metrics: What output2 says of the run's model; empty where that was not kept.
        classes: Names of a multi-class model's classes, as positions in `rows` mean them; else empty.
    """

    run: Run
    model: Model | None
    rows: PairedScores | None
    datasets: Sequence[Dataset]
    others: Sequence[Run]
    champion: str
    holdout: str
    holdout_uses: int
    golden_rows: int
    classes: Sequence[str]
    own_data: Profile | None
    champions_data: Profile | None
    versions: Mapping[str, str]
    written_at: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)


def report_facts(subject: Subject) -> Json:
    """Build the document."""
    run, model, verdict = subject.run, subject.model, subject.run.verdict or {}
    paired = subject.rows is not None and bool(verdict.get("paired"))
    return {
        "format": FORMAT,
        "written_at": subject.written_at.isoformat(),
        "run": _run(run, model),
        "verdict": _verdict(run, verdict),
        "rules": [_rule(check) for check in verdict.get("checks") or ()],
        "output2": [
            {"metric": name, "value": value if isfinite(value) else None} for name, value in subject.metrics.items()
        ],
        "metrics": measured(verdict, subject.rows) if paired and subject.rows else [],
        **_by_task(subject.rows if paired else None, subject.classes, model.costs if model else None),
        "slices": sorted(verdict.get("slices") or (), key=_worst_first),
        "comparisons": [part for part in (verdict.get("anchor"), verdict.get("bridge")) if part],
        "disagreement": disagreement_facts(subject.rows, subject.classes) if paired and subject.rows else None,
        "data": [_dataset(dataset) for dataset in subject.datasets],
        "label": label_facts(model.contract, subject.own_data, subject.champions_data, subject.rows, subject.classes)
        if model
        else None,
        "columns": _columns(subject),
        "drift": _drift(subject),
        "cost": cost_facts(run, model.training.price if model else None),
        "history": _history(subject),
        "provenance": _provenance(subject),
    }


def _by_task(rows: PairedScores | None, classes: Sequence[str], costs: Costs | None) -> Json:
    task = rows.task if rows else None
    return {
        "two_class": two_class_facts(rows, costs) if rows and task is Task.TWO_CLASS else None,
        "multiclass": multiclass_facts(rows, classes) if rows and task is Task.MULTICLASS else None,
        "regression": regression_facts(rows) if rows and task is Task.REGRESSION else None,
    }


def _worst_first(part: Mapping[str, Any]) -> tuple[bool, float]:
    """Sort slices by their lower bound; those that were not judged come last."""
    lower = part.get("lower")
    return lower is None, lower or 0.0


def undo(run: Run) -> list[str]:
    """List the commands that undo or decide a run."""
    if run.state is RunState.PROMOTED:
        back = f" --to {run.judged_champion}" if run.judged_champion else ""
        return [f"relearn rollback {run.model}{back} --reason WHY"]
    if run.state is RunState.HELD:
        return [f"relearn {act} {run.id} --reason WHY" for act in ("approve", "reject")]
    return []


def _run(run: Run, model: Model | None) -> Json:
    return {
        "id": run.id,
        "model": run.model,
        "endpoint": model.live.name if model else None,
        "kind": run.kind.value,
        "state": run.state.value,
        "created_at": run.created_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
        "files": list(run.datasets),
    }


def _verdict(run: Run, verdict: Mapping[str, Any]) -> Json:
    return {
        "state": run.state.value,
        "outcome": verdict.get("outcome"),
        "reason": run.reason,
        "metric": verdict.get("metric") or None,
        "paired": bool(verdict.get("paired")),
        "unpaired": is_unpaired(verdict),
        "n_rows": verdict.get("n_rows") or 0,
        "against": run.judged_champion or None,
        "undo": undo(run),
    }


def _rule(check: Mapping[str, Any]) -> Json:
    value, bound = check.get("value"), check.get("bound")
    left = abs(value - bound) if value is not None and bound is not None else None
    return {
        "rule": check["rule"],
        "value": value,
        "bound": bound,
        "passed": bool(check["passed"]),
        "severity": check.get("severity", "reject"),
        "left": left if check["passed"] or left is None else -left,
    }


def _dataset(dataset: Dataset) -> Json:
    return {
        "name": dataset.name,
        "sha256": dataset.sha256 or None,
        "rows": dataset.rows,
        "good": dataset.good - dataset.stripped,
        "bad": dataset.bad,
        "left_out": dataset.stripped,
        "holdout_overlap": dataset.overlap,
        "holdout_version": dataset.holdout or None,
        "size": dataset.size,
        "state": dataset.state.value,
        "seen_at": dataset.seen_at.isoformat(),
    }


def _columns(subject: Subject) -> list[Json] | None:
    """List the columns that the champion's training data lacks, or alone has; None where that is not known."""
    if subject.own_data is None or subject.champions_data is None:
        return None
    changed = changed_columns(subject.champions_data, subject.own_data)
    return [{"column": name, "was": was, "is": now} for name, (was, now) in list(changed.items())[:_CHANGED]]


def _drift(subject: Subject) -> list[Json]:
    """List the columns that are furthest from the champion's data; none where that is not known."""
    if subject.own_data is None or subject.champions_data is None:
        return []
    furthest = distances(subject.champions_data, subject.own_data)
    return [{"column": name, "distance": distance} for name, distance in list(furthest.items())[:_COLUMNS]]


def _history(subject: Subject) -> list[Json]:
    before = [run for run in subject.others if run.created_at <= subject.run.created_at and run.id != subject.run.id]
    return history_of([*before, subject.run])


def _provenance(subject: Subject) -> Json:
    run, model = subject.run, subject.model
    rule = (run.verdict or {}).get("rule") or None  # the one that was applied, whatever models.toml says today
    return {
        "job_id": run.job_id or None,
        "training_blob": run.training_blob,
        "training_etag": run.training_etag,
        "artifacts": run.artifacts,
        "champion_now": subject.champion or None,
        "holdout": (model.holdout if model else "") or None,
        "holdout_sha256": subject.holdout or None,
        "holdout_uses": subject.holdout_uses,
        "golden_rows": subject.golden_rows if run.state in _PROVEN else 0,
        "rule": rule,
        "rule_sha256": _fingerprint(rule),
        "approval": run.approval,
        "requested_by": run.requested_by or None,
        "app_version": subject.versions.get("app") or None,
        "service_version": subject.versions.get("service") or None,
        "stages": _stages(run),
    }


def _stages(run: Run) -> list[Json]:
    """List the states with the seconds that the run spent in each; the last one has none."""
    ends = [at for _, at in run.stages[1:]] + [None]
    return [
        {"state": state, "at": at.isoformat(), "seconds": (end - at).total_seconds() if end else None}
        for (state, at), end in zip(run.stages, ends, strict=True)
    ]


def _fingerprint(rule: Json | None) -> str | None:
    return None if rule is None else hashlib.sha256(json.dumps(rule, sort_keys=True, default=str).encode()).hexdigest()
