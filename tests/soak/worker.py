"""
One worker of the app: a process that takes events, ticks and messages until it is told to stop, or killed.

It does what the platform does around the app: events and messages come at least once, in any order, sometimes twice and
sometimes not at all; timers overlap, since more than one worker has them.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

import shared.adapters.http as service_calls
from shared.adapters import patience
from shared.composition import App, compose

ARRIVALS, EVALUATIONS, POISON = "arrivals", "evaluations", "evaluations-poison"
_MAX_DEQUEUES = 5
_HIDDEN_S = 15
_WITH_TIMERS = 2  # workers whose timers overlap, which the platform promises they never do
_POLL_EVERY_S = 2.0
_SWEEP_EVERY_S = 12.0
_DOUBLED, _LOST = 0.1, 0.03


@dataclass(frozen=True)
class Shared:
    """
    What the workers share with the one who started them.

    Attributes:
        ahead_s: How far their clocks are ahead of the system's; jumps.
        is_over: Set when they are to end.
        doubled: How many deliveries were made twice; `lost` how many messages were thrown away.
        reordered: How many messages were taken before one that had been sent earlier.
        announced: How many evaluations the ticks announced.
    """

    ahead_s: Any
    is_over: Any
    doubled: Any
    lost: Any
    reordered: Any
    announced: Any


def work(number: int, environment: Mapping[str, str], queues: str, shared: Shared) -> None:
    """Work until told to stop. `queues` opens the queues without faults: they stand for the platform's own."""
    logging.disable(logging.CRITICAL)
    service_calls._TIMEOUT_S = (2.0, 4.0)
    patience.CONNECT_S, patience.READ_S = 2.0, 4.0
    skew = timedelta(seconds=random.uniform(-30, 30))
    app = compose(environment, lambda: datetime.now(UTC) + timedelta(seconds=shared.ahead_s.value) + skew)
    _Worker(number, app, queues, shared).loop()


class _Worker:
    def __init__(self, number: int, app: App, queues: str, shared: Shared) -> None:
        self._app, self._shared = app, shared
        self._arrivals, self._evaluations, self._poison = (
            QueueClient.from_connection_string(queues, name) for name in (ARRIVALS, EVALUATIONS, POISON)
        )
        self._draw = random.Random()
        has_timers = number < _WITH_TIMERS
        self._next = {self._poll: 0.0, self._sweep: time.monotonic() + 3 * number} if has_timers else {}

    def loop(self) -> None:
        while not self._shared.is_over.is_set():
            busy = self._take(self._arrivals, self._arrive)
            busy |= self._take(self._evaluations, self._evaluate)
            busy |= self._take(self._poison, lambda text: self._app.giving_up.take(text))
            for timer, due in list(self._next.items()):
                if time.monotonic() >= due:
                    every = _POLL_EVERY_S if timer == self._poll else _SWEEP_EVERY_S
                    self._next[timer] = time.monotonic() + every
                    with suppress(Exception):  # the platform logs it and goes on
                        timer()
            if not busy:
                time.sleep(0.05)

    def _take(self, queue: QueueClient, act: Callable[[str], None]) -> bool:
        """Deliver some messages, in any order and some of them twice; one that fails comes again."""
        messages = list(queue.receive_messages(max_messages=6, visibility_timeout=_HIDDEN_S))
        self._shuffle(messages)
        for message in messages:
            if message.dequeue_count > _MAX_DEQUEUES and queue is self._evaluations:
                self._poison.send_message(message.content)
                queue.delete_message(message)
                continue
            try:
                act(message.content)
                if self._draw.random() < _DOUBLED:
                    _add(self._shared.doubled, 1)
                    act(message.content)
            except Exception:  # noqa: S112
                continue  # the platform would log it; the message stays hidden for a while and comes again
            with suppress(AzureError):
                queue.delete_message(message)
        return bool(messages)

    def _arrive(self, name: str) -> None:
        self._app.arrival.receive(self._app.evaluation._stores.blobs.blob(f"training-data/{name}"))

    def _evaluate(self, text: str) -> None:
        due = json.loads(text)
        self._app.evaluation.evaluate(due["model"], due["run"])

    def _poll(self) -> None:
        messages = self._app.polling.tick()
        _add(self._shared.announced, len(messages))
        self._shuffle(messages)
        for message in messages:
            if self._draw.random() < _LOST:
                _add(self._shared.lost, 1)
            else:
                self._evaluations.send_message(message)

    def _sweep(self) -> None:
        self._app.sweeping.sweep()

    def _shuffle(self, messages: list[Any]) -> None:
        """Bring messages into any order, and count those that an earlier one comes after."""
        order = list(range(len(messages)))
        self._draw.shuffle(order)
        messages[:] = [messages[place] for place in order]
        _add(self._shared.reordered, sum(place > min(order[at:]) for at, place in enumerate(order)))


def _add(counter: Any, n: int) -> None:
    with counter.get_lock():  # four processes add to it
        counter.value += n
