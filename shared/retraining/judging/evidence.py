"""
The evidence that a verdict rests on, kept so that it can be read, shown, and judged again under another rule.

Beside each run: `evidence.json`, one document, so that it is there whole or not at all: what was compared, under which
circumstances, and the answers (`scores`: NumPy's `.npz`, in base64).
The holdout itself is kept once for each version, below `artifacts/{model}/holdouts/`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.storage_layout import ARTIFACTS
from shared.domain.deciding.champion import INITIAL
from shared.domain.gate import Circumstances, GateRule
from shared.domain.lifecycle.runs import Run
from shared.domain.measuring.holdout import Answered, Holdout, pair, parse_holdout
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Model


@dataclass(frozen=True)
class Evidence:
    """
    What a run was judged on.

    Attributes:
        metrics: What output2 said of the challenger.
        circumstances: What else bore on the verdict.
        holdout: Hash of the holdout's bytes, in hex; empty where nothing was scored.
        champion: The model that served, by its run.
        scores: Each model's answers to the holdout: `champion`, `challenger` and, where one was asked, `anchor`.
        anchor: The run whose model `anchor` is; empty where none was asked, or in evidence of earlier versions.
        before: What the same models answered to the holdout before, where the run was the bridge between the two.
    """

    metrics: dict[str, float]
    circumstances: Circumstances
    holdout: str
    champion: str
    scores: dict[str, Answered]
    anchor: str = ""
    before: Evidence | None = None

    def answers_of(self, made_by: str) -> Answered | None:
        """Return what the model that a run made answered; None where it was not asked, or with what is no number."""
        who = "champion" if made_by == self.champion else "anchor" if made_by == self.anchor else ""
        found = self.scores.get(who)
        return found if found and np.isfinite(found.answers).all() else None


class EvidenceStore:
    """Keeps evidence in the container `artifacts`."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def save(self, run: Run, evidence: Evidence) -> dict[str, str]:
        """
        Keep a run's evidence; a repeated delivery writes it again.

        Returns:
            `path` and `sha256` of the document: who records them has sealed it.
        """
        document = {
            "run": run.id,
            "model": run.model,
            "champion": evidence.champion,
            "anchor": evidence.anchor,
            "holdout": evidence.holdout,
            "models": sorted(evidence.scores),
            "metrics": {name: repr(value) for name, value in evidence.metrics.items()},
            "circumstances": asdict(evidence.circumstances),
            "scores": _written(evidence.scores),
            "before": _before_json(evidence.before),
        }
        path, data = evidence_path(run), json.dumps(document, ensure_ascii=False, indent=1).encode()
        self._blobs.write(path, data)
        return {"path": path, "sha256": hashlib.sha256(data).hexdigest()}

    def load(self, run: Run) -> Evidence | None:
        """Return a run's evidence; None where none was kept."""
        return self.read(evidence_path(run))

    def read(self, path: str) -> Evidence | None:
        """Return the evidence at `container/path`; None where none is."""
        document = self._blobs.read_json(path)
        if document is None:
            return None
        metrics = {name: float(value) for name, value in document["metrics"].items()}
        before = document.get("before")
        return Evidence(
            metrics=metrics,
            circumstances=Circumstances(**document["circumstances"]),
            anchor=document.get("anchor", ""),
            holdout=document["holdout"],
            champion=document["champion"],
            scores=_read(document["scores"]),
            before=Evidence(metrics, Circumstances(), before["holdout"], "", _read(before["scores"]))
            if before
            else None,
        )

    def rows(self, evidence: Evidence, model: Model, rule: GateRule) -> PairedScores | None:
        """Return both models' answers beside the truth, as a rule wants them; None where nothing was scored."""
        holdout = self.holdout(model, evidence.holdout) if evidence.holdout else None
        return None if holdout is None else paired(holdout, evidence, model, rule)

    def keep_holdout(self, model: Model, data: bytes, kept: str) -> str:
        """Keep a version of the holdout, unless it is the one that was kept last; return its hash."""
        version = hashlib.sha256(data).hexdigest()
        path = _holdout_path(model.name, version)
        if version != kept and facts_of(self._blobs.blob(path)) is None:
            self._blobs.write(path, data)
        return version

    def holdout(self, model: Model, version: str) -> Holdout | None:
        """Return a kept version of the holdout; None where it is gone."""
        data = self._blobs.read(_holdout_path(model.name, version))
        return None if data is None else holdout_of(data, model)


def paired(holdout: Holdout, evidence: Evidence, model: Model, rule: GateRule) -> PairedScores | None:
    """Return the answers to a holdout beside its truth, as a rule wants them; None where not both models were asked."""
    scores = evidence.scores
    if not {"champion", "challenger"} <= scores.keys():
        return None
    asked = scores["champion"], scores["challenger"], scores.get("anchor")
    is_approved = evidence.anchor != INITIAL
    known = model.contract.label_values
    return pair(holdout, model.task, model.positive, rule, *asked, is_anchor_approved=is_approved, known=known)


def holdout_of(data: bytes, model: Model, *, limit: int | None = None) -> Holdout:
    """
    Read a model's holdout; endpoints are asked with the contract's columns only.

    Raises:
        EvaluationError: It cannot be read.
    """
    known = {column.name for column in model.contract.columns}
    return parse_holdout(data, model.contract.label, contract=known, limit=limit)


def evidence_path(run: Run) -> str:
    """Return where a run's evidence is kept, `container/path`."""
    return f"{run.artifacts}/evidence.json"


def _holdout_path(model: str, version: str) -> str:
    return f"{ARTIFACTS}/{model}/holdouts/{version[:32]}.csv"


def _before_json(before: Evidence | None) -> dict[str, str] | None:
    return {"holdout": before.holdout, "scores": _written(before.scores)} if before else None


def _written(scores: dict[str, Answered]) -> str:
    return base64.b64encode(_packed(scores)).decode() if scores else ""


def _read(written: str) -> dict[str, Answered]:
    return _unpacked(base64.b64decode(written)) if written else {}


def _packed(scores: dict[str, Answered]) -> bytes:
    arrays: dict[str, Any] = {}
    for name, model in scores.items():
        arrays[f"{name}.answers"] = model.answers
        arrays[f"{name}.classes"] = np.asarray(model.classes, dtype=np.str_)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _unpacked(data: bytes) -> dict[str, Answered]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = {key.partition(".")[0] for key in arrays.files}
        return {
            name: Answered(arrays[f"{name}.answers"], tuple(map(str, arrays[f"{name}.classes"].tolist())))
            for name in names
        }
