"""A person decides a held run: approve or reject, once, with a reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.model import Model
from shared.domain.runs import Run, RunState
from shared.errors import Changed, RequestRefused
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.views import Json, run_as_json

_log = logging.getLogger(__name__)


class Approvals:
    """Takes the decisions of people; each held run takes one."""

    def __init__(self, models: Mapping[str, Model], runs: RunTable, records: ModelTable, clock: Clock) -> None:
        self._models, self._runs, self._records, self._clock = models, runs, records, clock

    def approve(self, run_id: str, by: str, reason: str, *, via: str = "http") -> Json:
        """
        Let a held run promote its model; where the champion has changed since, it is judged again instead.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run, approval = self._decided(run_id, by, reason, via, "approve")
        champion = self._records.load(run.model).champion
        if champion is None or champion.run_id != run.judged_champion:
            serving = champion.run_id if champion else "nothing"
            said = f"the champion is '{serving}' by now: the approval by {by} does not count, the run is judged again"
            return self._save(run.advanced(RunState.EVALUATING, self._clock(), said))
        said = f"approved by {by}: {reason.strip()}; {run.reason}"
        return self._save(run.advanced(RunState.PROMOTING, self._clock(), said, approval=approval))

    def reject(self, run_id: str, by: str, reason: str, *, via: str = "http") -> Json:
        """
        End a held run without a promotion.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run, approval = self._decided(run_id, by, reason, via, "reject")
        said = f"rejected by {by}: {reason.strip()}"
        return self._save(run.advanced(RunState.EVALUATING, self._clock(), said, approval=approval))

    def _decided(self, run_id: str, by: str, reason: str, via: str, decision: str) -> tuple[Run, dict[str, str]]:
        run = self._runs.find_any(run_id)
        if run is None:
            raise RequestRefused(f"there is no run '{run_id}'; GET /api/runs lists them", 404)
        model = self._models.get(run.model)
        if model is None:
            raise RequestRefused(f"models.toml no longer declares '{run.model}'", 404)
        if not by.strip() or not reason.strip():
            raise RequestRefused("say who decides and why: give `by` and `reason`", 400)
        if run.state is not RunState.HELD:
            raise RequestRefused(f"run '{run_id}' is {run.state.value}; only a run that is HELD waits for a decision")
        objection = model.approval.objection(by, reason, run.requested_by) if decision == "approve" else ""
        if objection:
            raise RequestRefused(objection, 403)
        at = stored(self._clock())
        return run, {"decision": decision, "by": by.strip(), "reason": reason.strip(), "at": at, "via": via}

    def _save(self, run: Run) -> Json:
        try:
            saved = self._runs.save(run)
        except Changed:
            raise RequestRefused(
                f"somebody else decided run '{run.id}' at this moment; GET /api/runs/{run.id}"
            ) from None
        event(_log, "run.decided", run_id=run.id, model=run.model, state=run.state.value, reason=run.reason)
        return run_as_json(saved)
