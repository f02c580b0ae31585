"""Gathers a run's evidence: the same holdout rows, answered by champion, challenger and the last approved model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.adapters.blobs import BlobStore
from shared.adapters.storage_layout import HOLDOUTS
from shared.domain.deciding.champion import INITIAL, Champion
from shared.domain.deciding.model_record import ModelRecord
from shared.domain.gate import Circumstances, Fault, Outcome, Verdict, judge
from shared.domain.lifecycle.runs import Run
from shared.domain.measuring.holdout import Answered, Holdout
from shared.domain.model import Model
from shared.errors import EvaluationError, ProtocolMismatch, ServiceRejected
from shared.retraining.judging.bridge import bridged, judged_before, kept_holdout
from shared.retraining.judging.evidence import Evidence, EvidenceStore, evidence_path, holdout_of, paired
from shared.retraining.judging.leakage import JudgedOn, Leakage
from shared.retraining.judging.staging import Staging, ask
from shared.retraining.promoting.lease import Lease
from shared.retraining.promoting.promotion import Promotion
from shared.retraining.training.results import JobResults
from shared.wire import MODEL_EXTENSION

_GOLDEN_SOURCE_BYTES = 256 * 1024  # of the training file, where there is no holdout to choose golden rows from
_GOLDEN_SOURCE_ROWS = 500
_REFERENCE_LIFETIME = timedelta(hours=1)
_ALIKE = 0.5  # share of its rows that makes a new holdout the one before, for the budget


@dataclass(frozen=True)
class Gathered:
    """
    What was asked of the models.

    Attributes:
        rows: The rows that were asked: the holdout, or the head of the training file.
        champion: The champion's answers to them.
        challenger: The challenger's; None where there is no staging endpoint to ask.
        evidence: What the verdict rests on.
        retired: The verdict on the holdout before, where this one is new; None otherwise.
        is_like_before: Whether a new holdout has most of its rows from the one before.
    """

    rows: Holdout
    champion: Answered
    challenger: Answered | None
    evidence: Evidence
    retired: Verdict | None = None
    is_like_before: bool = False


class Scoring:
    """Asks the endpoints under a lease, which is renewed between the steps."""

    def __init__(
        self,
        blobs: BlobStore,
        results: JobResults,
        promotion: Promotion,
        evidence: EvidenceStore,
        staging: Staging,
        leakage: Leakage,
    ) -> None:
        self._blobs, self._results, self._leakage = blobs, results, leakage
        self._promotion, self._evidence, self._staging = promotion, evidence, staging

    def gather(
        self,
        run: Run,
        model: Model,
        champion: Champion,
        metrics: Mapping[str, float],
        lease: Lease,
    ) -> Gathered:
        """
        Put the challenger on staging and ask both models.

        Raises:
            EvaluationError: There is no holdout where models.toml names one, or it cannot be read.
            ServiceError: An endpoint did not answer, or not as the protocol says.
        """
        data = self._holdout(model) if model.holdout else None
        version = self._evidence.keep_holdout(model, data, lease.record.holdout) if data is not None else ""
        rows = holdout_of(data, model) if data is not None else self._head_of_training_data(model, run)
        live = self._promotion.live(model)
        if model.staging is None:
            evidence = Evidence(dict(metrics), _around(champion, "no staging endpoint"), "", champion.run_id, {})
            return Gathered(rows, ask(live, model, rows, run.id, who="champion"), None, evidence)
        anchor = self._anchor(run, model, lease, rows, version) if version else None
        around = _around(champion, "" if version else "no holdout")
        if data is not None:
            judged_on = JudgedOn(data, version, len(rows.rows), model.contract)
            around = self._leakage.counted(around, run, champion.run_id, judged_on, lease.hold)
        lease.hold()
        staging = self._promotion.staging(model)

        def put_challenger() -> None:
            self._results.use(run, model, MODEL_EXTENSION, lambda it: staging.update(model.resource, it, run.id))

        self._staging.install(staging, lease, run.id, put_challenger, rows, run.id)
        lease.hold()
        scores = {
            "champion": ask(live, model, rows, run.id, who="champion"),
            "challenger": ask(staging, model, rows, run.id, who="challenger"),
        }
        if not version:
            evidence = Evidence(dict(metrics), around, "", champion.run_id, {})
            return Gathered(rows, scores["champion"], scores["challenger"], evidence)
        record = lease.record
        is_like_before = self._is_like_before(model, rows, version, record.holdout)
        used = record.used(version, run.id, is_like_before=is_like_before)
        around = replace(around, holdout_uses=used.holdout_uses)
        asked = scores | ({"anchor": anchor} if anchor else {})
        anchored = record.anchor.run_id if anchor and record.anchor else ""
        retired, before = self._retired(run, model, metrics, record.retired_holdout(version, run.id))
        evidence = Evidence(dict(metrics), around, version, champion.run_id, asked, anchored, before)
        return Gathered(rows, scores["champion"], scores["challenger"], evidence, retired, is_like_before)

    def verdict(self, run: Run, model: Model, gathered: Gathered, lease: Lease) -> Verdict:
        """
        Judge what was gathered, and keep it; a new holdout and the one before it have to agree.

        Raises:
            Changed: The lease was lost: what was asked may have been somebody else's challenger.
        """
        version = gathered.evidence.holdout if model.gate else ""
        is_like_before = gathered.is_like_before

        def used(record: ModelRecord) -> ModelRecord:
            path = evidence_path(run)
            return record.used(version, run.id, path, is_like_before=is_like_before) if version else record

        lease.save(used)
        evidence = gathered.evidence
        kept = self._evidence.save(run, evidence)
        if model.gate is None:
            return Verdict(Outcome.PROMOTE, 'UNPAIRED: gate = "none": nothing was judged', "", evidence=kept)
        rows = paired(gathered.rows, evidence, model, model.gate) if version else None
        verdict = replace(judge(evidence.metrics, rows, model.gate, evidence.circumstances), evidence=kept)
        return bridged(verdict, gathered.retired) if gathered.retired else verdict

    def _holdout(self, model: Model) -> bytes:
        data = self._blobs.read(f"{HOLDOUTS}/{model.holdout}")
        if data is None:
            said = f"there is no '{model.holdout}' in the container '{HOLDOUTS}'; upload it there"
            raise EvaluationError(f"{Fault.HOLDOUT_MISSING.value}: {said}")
        return data

    def _is_like_before(self, model: Model, rows: Holdout, version: str, before: str) -> bool:
        """Whether most rows of a new holdout were in the one before: its budget then goes on."""
        if not before or before == version:
            return False
        try:
            known = self._evidence.holdout(model, before)
        except EvaluationError:  # made for another contract
            return False
        return known is not None and len(_said(rows) & _said(known)) > _ALIKE * len(_said(rows))

    def _head_of_training_data(self, model: Model, run: Run) -> Holdout:
        """Return rows that are good for the proof alone."""
        blob = self._blobs.blob(run.training_blob)
        head = bytes(blob.download_blob(offset=0, length=_GOLDEN_SOURCE_BYTES).readall())
        return holdout_of(head[: head.rfind(b"\n") + 1], model, limit=_GOLDEN_SOURCE_ROWS)

    def _anchor(self, run: Run, model: Model, lease: Lease, rows: Holdout, version: str) -> Answered | None:
        """Return what the model that a person last approved answers, from earlier evidence or by asking it anew."""
        anchor, champion = lease.record.anchor, lease.record.champion
        if anchor is None or champion is None or anchor.run_id == champion.run_id:
            return None
        path = lease.record.anchor_evidence
        earlier = self._evidence.read(path) if path else None
        known = earlier.answers_of(anchor.run_id) if earlier and earlier.holdout == version else None
        if known is not None:
            return known
        staging = self._promotion.staging(model)
        reference = self._blobs.reference(anchor.artifact, write=False, lifetime=_REFERENCE_LIFETIME)

        def put_anchor() -> None:
            staging.update(model.resource, reference, run.id)

        self._staging.install(staging, lease, anchor.run_id, put_anchor, rows, run.id)
        return ask(staging, model, rows, run.id, who="anchor")

    def _retired(
        self, run: Run, model: Model, metrics: Mapping[str, float], version: str
    ) -> tuple[Verdict | None, Evidence | None]:
        """Judge on the holdout before: a run that scores both is the bridge between them."""
        if not version or model.gate is None:
            return None, None
        before = None
        try:
            before = Evidence(dict(metrics), Circumstances(), version, "", self._asked_before(run, model, version))
            return judged_before(self._evidence, before, model, model.gate), before
        except (EvaluationError, ServiceRejected, ProtocolMismatch) as unfit:  # made for another contract or gate
            return Verdict(Outcome.ERROR, str(unfit), model.gate.metric), before

    def _asked_before(self, run: Run, model: Model, version: str) -> dict[str, Answered]:
        rows = kept_holdout(self._evidence, model, version)
        return {
            "champion": ask(self._promotion.live(model), model, rows, run.id, who="champion"),
            "challenger": ask(self._promotion.staging(model), model, rows, run.id, who="challenger"),
        }


def _said(rows: Holdout) -> set[tuple[str, ...]]:
    return {(label, *map(str, row)) for label, row in zip(rows.labels, rows.rows, strict=True)}


def _around(champion: Champion, unpaired_because: str) -> Circumstances:
    return Circumstances(is_first=champion.run_id == INITIAL, unpaired_because=unpaired_because)
