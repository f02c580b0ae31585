"""Tells who asked to know what became of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

from shared.adapters.webhooks import WebhookSender
from shared.domain.lifecycle.notification import Links, message, news_of, signature
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.retraining import Clock


class Notifying:
    """Sends one signed message for each state that a model wants to be told."""

    def __init__(
        self,
        models: Mapping[str, Model],
        sender: WebhookSender,
        app_url: str,
        decide_link: Callable[[Run], str],
        clock: Clock,
    ) -> None:
        """
        Args:
            app_url: The app's own address; empty when it is not known, and then messages hold no links.
            decide_link: Gives the link by which a held run is decided; empty where there is none.
        """
        self._models, self._sender, self._clock = models, sender, clock
        self._app_url, self._decide_link = app_url, decide_link

    def tell(self, run: Run) -> None:
        """
        Send the news of a run; sent twice, both have the same `id`.

        Raises:
            ServiceUnavailable: The webhook does not answer.
            ServiceRejected: The webhook refuses the message.
        """
        model = self._models.get(run.model)
        notify = model.notify if model else None
        if notify is None or run.state not in notify.on:
            return
        report = f"{self._app_url}/api/dashboard#/report/{quote(run.id)}" if self._app_url else ""
        news = news_of(run, Links(report, self._decide_link(run)))
        body = json.dumps(message(news, notify.form), ensure_ascii=False).encode()
        headers = {"Relearn-Id": news["id"], "Relearn-Signature": signature(body, notify.secret, self._clock())}
        self._sender.send(f"tell of run '{run.id}'", notify.url, body, headers)
