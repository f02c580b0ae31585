"""A pool's work whose events are logged by the thread that waits for it."""

from __future__ import annotations

import logging
import threading

import pytest

from shared.logs import event
from shared.threads import in_threads

LOG = logging.getLogger("tests.threads")


def test_results_come_in_order_and_events_from_the_caller(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(logging, "logThreads", True)  # the studio service turns it off
    both = threading.Barrier(2, timeout=10)

    def work(item: int) -> tuple[int, bool]:
        event(LOG, "item.seen", item=item)
        both.wait()
        return item, threading.current_thread() is threading.main_thread()

    assert list(in_threads(work, [1, 2], 2)) == [(1, False), (2, False)]
    assert sorted(caplog.messages) == ['item.seen {"item": 1}', 'item.seen {"item": 2}']
    assert {record.thread for record in caplog.records} == {threading.get_ident()}


def test_what_was_said_before_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def work(item: int) -> None:
        event(LOG, "item.seen", item=item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"):
        list(in_threads(work, [7], 1))
    assert caplog.messages == ['item.seen {"item": 7}']


def test_an_event_outside_a_pool_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    for _ in in_threads(str, [1], 1):
        event(LOG, "item.done")
        assert caplog.messages == ["item.done {}"]
