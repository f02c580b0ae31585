"""A held run is decided by its link: whoever holds it may look at the report, and decide once."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.retraining.promoting.approval import Approvals
from shared.retraining.showing.reporting import Reporting
from shared.retraining.showing.views import Json


class Deciding:
    """Makes links, and shows what stands behind them."""

    def __init__(self, models: Mapping[str, Model], approvals: Approvals, reporting: Reporting, app_url: str) -> None:
        """
        Args:
            app_url: The app's own address; empty where it is not known, and then there are no links.
        """
        self._models, self._approvals, self._reporting, self._app_url = models, approvals, reporting, app_url

    def link(self, run: Run) -> str:
        """
        Return the link of a held run; empty for any other, and where address or secret are not set.

        The token stands behind `#`, which browsers keep to themselves: it reaches no log and no link scanner.
        """
        model = self._models.get(run.model)
        token = self._approvals.token(run, "", model.policy.approval_budget) if model and self._app_url else ""
        return f"{self._app_url}/api/decide#{quote(token)}" if token else ""

    def shell(self) -> str:
        """Return the page that a link opens; it holds no data and decides nothing."""
        from shared.pages.decide_page import decide_html

        return decide_html()

    def look(self, token: str) -> Json:
        """
        Return what a link's holder may see: the run and its report.

        Raises:
            RequestRefused: The link is no good, or no longer.
        """
        run, _ = self._approvals.claimed(token)
        report = self._reporting.read(run.id, "html")
        html = report.data.decode() if report else None
        return {"run": run.id, "model": run.model, "reason": run.reason, "report": html}
