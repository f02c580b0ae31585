"""Writes a run's report beside its artifacts, in three forms, and reads it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.blobs import BlobStore
from shared.adapters.ledger import Ledger
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.domain.gate import GateRule
from shared.domain.lifecycle.runs import Run
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Model
from shared.errors import EvaluationError
from shared.pages.content_policy import content_policy
from shared.reporting.facts import Subject, report_facts
from shared.retraining import Clock
from shared.retraining.files.drifting import Drifting
from shared.retraining.judging.evidence import Evidence, EvidenceStore
from shared.version import code_version

_HISTORY = 100  # runs that are looked through for those to show
FORMS = {"html": "text/html", "json": "application/json", "md": "text/markdown"}  # the host adds the charset of a text


@dataclass(frozen=True)
class Document:
    """A report as it is served; `policy` is the Content-Security-Policy that fits it."""

    data: bytes
    media_type: str
    policy: str


class Reporting:
    """Reports of runs that were judged or have ended."""

    forms = tuple(FORMS)

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        ledger: Ledger,
        blobs: BlobStore,
        evidence: EvidenceStore,
        drifting: Drifting,
        version_at: Callable[[str], str],
        clock: Clock,
    ) -> None:
        """
        Args:
            version_at: Asks a service which code it runs.
        """
        self._models, self._runs, self._records = models, runs, records
        self._ledger, self._blobs, self._evidence = ledger, blobs, evidence
        self._drifting, self._version_at, self._clock = drifting, version_at, clock

    def write(self, run: Run) -> None:
        """Write the report of a run as it stands; writing it again replaces it."""
        # Templates and plots take a fifth of a second to load: only who writes a report waits for them.
        from shared.pages.report_markdown import report_markdown
        from shared.pages.report_page import report_html

        report = self._facts(run)
        forms = {
            "json": json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1),
            "html": report_html(report),
            "md": report_markdown(report),
        }
        for form, text in forms.items():
            self._blobs.write(_path(run, form), text.encode())

    def read(self, run_id: str, form: str) -> Document | None:
        """Return a run's report in one of `FORMS`; None while there is none."""
        run = self._runs.find_any(run_id)
        data = self._blobs.read(_path(run, form)) if run and form in FORMS else None
        if data is None:
            return None
        return Document(data, FORMS[form], content_policy(data.decode() if form == "html" else ""))

    def _facts(self, run: Run) -> dict[str, Any]:
        record, model = self._records.load(run.model), self._models.get(run.model)
        champions_data, own_data = self._drifting.of_run(model, run) if model else (None, None)
        evidence = self._evidence.load(run)
        rows = self._rows(run, model, evidence) if model and evidence else None
        scores = evidence.scores if evidence else {}
        classes = sorted({name for answered in scores.values() for name in answered.classes})
        golden = self._blobs.read_json(f"{run.artifacts}/golden.json")
        found = (self._ledger.find(run.model, key) for key in run.dataset_keys)
        return report_facts(
            Subject(
                run=run,
                model=model,
                rows=rows,
                datasets=[dataset for dataset in found if dataset],
                others=self._runs.newest(run.model, _HISTORY)[0],
                champion=record.champion.run_id if record.champion else "",
                holdout=evidence.holdout if evidence else "",
                holdout_uses=record.holdout_uses,
                golden_rows=len(golden["rows"]) if golden else 0,
                classes=classes,
                own_data=own_data,
                champions_data=champions_data,
                versions={
                    "app": code_version(),
                    "service": self._version_at(model.training.jobs_url) if model else "",
                },
                written_at=self._clock(),
                metrics=evidence.metrics if evidence else {},
            )
        )

    def _rows(self, run: Run, model: Model, evidence: Evidence) -> PairedScores | None:
        """Return what both models said of the holdout, in the groups that they were judged in."""
        applied = (run.verdict or {}).get("rule") or {}
        try:
            return self._evidence.rows(evidence, model, GateRule(group=applied.get("group", "")))
        except EvaluationError:  # the contract says otherwise by now: the report does without its pictures
            return None


def _path(run: Run, form: str) -> str:
    return f"{run.artifacts}/report.{form}"
