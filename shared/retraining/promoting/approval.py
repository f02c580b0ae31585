"""A person decides a held run: approve or reject, once, with a reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.deciding.approval import refusal
from shared.domain.deciding.approval_token import Claim, is_strong, read, signed
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.model import Model
from shared.errors import Changed, RequestRefused
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.uploaders import Uploaders
from shared.retraining.showing.views import Json, run_as_json
from shared.secret import Secret

_log = logging.getLogger(__name__)


class Approvals:
    """Takes the decisions of people; each held run takes one."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        uploaders: Uploaders,
        secret: Secret,
        clock: Clock,
    ) -> None:
        """
        Args:
            secret: Signs the tokens of approval links; empty where there are no links.
        """
        self._models, self._runs, self._records = models, runs, records
        self._uploaders, self._secret, self._clock = uploaders, secret, clock

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
            return self._save(run, run.advanced(RunState.EVALUATING, self._clock(), said, is_announced=True))
        said = f"approved by {by}: {reason.strip()}; {run.reason}"
        promoting = run.advanced(RunState.PROMOTING, self._clock(), said, approval=approval, is_announced=True)
        return self._save(run, promoting)

    def reject(self, run_id: str, by: str, reason: str, *, via: str = "http") -> Json:
        """
        End a held run without a promotion.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run, approval = self._decided(run_id, by, reason, via, "reject")
        said = f"rejected by {by}: {reason.strip()}"
        ended = run.advanced(RunState.EVALUATING, self._clock(), said, approval=approval, is_announced=True)
        return self._save(run, ended)

    def token(self, run: Run, to: str, lifetime: timedelta) -> str:
        """
        Return the token of a link by which `to` may decide a held run; empty where links are not set up.

        The link itself must ask before it acts: mail programs open links unasked.
        """
        held_at = _held_at(run)
        if held_at is None or not is_strong(self._secret):
            return ""
        return signed(Claim(run.id, held_at, self._clock() + lifetime, to), self._secret)

    def claimed(self, token: str) -> tuple[Run, Claim]:
        """
        Return the held run that a token may decide.

        Raises:
            RequestRefused: The token is not ours, has expired, or was used.
        """
        claim = read(token, self._secret, self._clock())
        if claim is None:
            raise RequestRefused("this link is not valid, or no longer; decide the run on the dashboard", 403)
        run = self._runs.find_any(claim.run_id)
        if run is None or _held_at(run) != claim.held_at:
            raise RequestRefused(f"run '{claim.run_id}' was decided already, or is held anew", 409)
        return run, claim

    def decide_by_link(self, token: str, decision: str, reason: str, by: str = "") -> Json:
        """
        Approve or reject by a link's token, which counts once.

        Args:
            by: Who decides, where the link was sent to nobody by name.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run, claim = self.claimed(token)
        act = {"approve": self.approve, "reject": self.reject}.get(decision)
        if act is None:
            raise RequestRefused("a link decides with 'approve' or 'reject'", 400)
        model = self._models.get(run.model)
        if model and not model.approval.allow_self and not (claim.to or by.strip()):
            raise RequestRefused("say who decides: nobody may approve a run of their own here", 400)
        return act(run.id, claim.to or by or "the holder of the link", reason, via="link")

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
            raise RequestRefused(refusal(run, decision))
        requesters = [] if model.approval.allow_self else [run.requested_by, *self._uploaders.of(run)]
        objection = model.approval.objection(by, reason, requesters) if decision == "approve" else ""
        if objection:
            raise RequestRefused(objection, 403)
        at = stored(self._clock())
        return run, {"decision": decision, "by": by.strip(), "reason": reason.strip(), "at": at, "via": via}

    def _save(self, read: Run, run: Run) -> Json:
        try:
            saved = self._runs.amend(read, run)
        except Changed:
            raise RequestRefused(
                f"somebody else decided run '{run.id}' at this moment; GET /api/runs/{run.id}"
            ) from None
        event(_log, "run.decided", run_id=run.id, model=run.model, state=run.state.value, reason=run.reason)
        return run_as_json(saved)


def _held_at(run: Run) -> datetime | None:
    held = [at for state, at in run.stages if state == RunState.HELD.value]
    return held[-1] if held and run.state is RunState.HELD else None
