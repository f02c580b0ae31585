"""News of runs by webhook: signed, at least once, never in the way; and held runs decided by their link, once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from census_rows import people
from receiver import Receiver
from retraining_world import World

from shared.composition import compose
from shared.domain.lifecycle.notification import signature
from shared.errors import RequestRefused
from shared.secret import Secret

SECRET = "planted-webhook-secret"
MODELS = (Path(__file__).parents[2] / "models.toml").read_text()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def told(world: World, receiver: Receiver, tmp_path: Path) -> World:
    """A world whose model asks a person each time, and tells the receiver."""
    notify = '[models.census.notify]\nurl = "%NOTIFY_URL%"\nsecret = "%NOTIFY_SECRET%"\n'
    (tmp_path / "models.toml").write_text(f'{MODELS}\n[models.census.approval]\nask = "always"\n{notify}')
    world.environment |= {
        "MODELS_FILE": str(tmp_path / "models.toml"),
        "NOTIFY_URL": receiver.url,
        "NOTIFY_SECRET": SECRET,
        "APP_URL": "https://app.example",
        "APPROVAL_SECRET": "planted-approval-secret-of-length",
    }
    world.app = compose(world.environment, world.clock)
    world.app.evaluation._scoring._staging._settle = world.app.evaluation._promotion._deadline = timedelta(seconds=1)
    return world


def hold(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    assert world.run()["state"] == "HELD"


def test_a_held_run_is_told_once_with_a_signature_and_a_link(told: World, receiver: Receiver) -> None:
    hold(told)

    told.app.announcing.announce_due()
    told.app.announcing.announce_due()

    (body,), (headers,) = receiver.bodies, receiver.headers
    news = json.loads(body)
    at = datetime.fromtimestamp(int(headers["Relearn-Signature"].split(",")[0][2:]), UTC)
    assert headers["Relearn-Signature"] == signature(body, Secret(SECRET), at)
    assert (news["event"], news["id"]) == ("run.held", headers["Relearn-Id"])
    assert news["decide_url"].startswith("https://app.example/api/decide#")
    assert news["report_url"] == f"https://app.example/api/dashboard#/report/{news['run']}"


def test_the_link_shows_the_report_decides_once_and_says_so_afterwards(told: World, receiver: Receiver) -> None:
    hold(told)
    told.app.announcing.announce_due()
    token = unquote(json.loads(receiver.bodies[0])["decide_url"].partition("#")[2])

    seen = told.app.deciding.look(token)
    with pytest.raises(RequestRefused, match="why"):
        told.app.approvals.decide_by_link(token, "approve", "", "ada")
    decided = told.app.approvals.decide_by_link(token, "approve", "looked at it", "ada")
    with pytest.raises(RequestRefused, match="was decided already"):
        told.app.approvals.decide_by_link(token, "reject", "no", "bob")
    told.app.evaluation.evaluate("census", decided["id"])
    told.app.announcing.announce_due()

    assert "HELD" in seen["report"]
    assert told.run()["state"] == "PROMOTED"
    assert told.run()["approval"]["via"] == "link"
    assert [json.loads(body)["state"] for body in receiver.bodies] == ["HELD", "PROMOTED"]


def test_a_link_that_is_too_old_or_was_changed_decides_nothing(told: World, receiver: Receiver) -> None:
    hold(told)
    told.app.announcing.announce_due()
    token = unquote(json.loads(receiver.bodies[0])["decide_url"].partition("#")[2])

    with pytest.raises(RequestRefused, match="not valid"):
        told.app.approvals.decide_by_link(token + "x", "approve", "fine", "ada")
    told.pass_time(days=8)
    with pytest.raises(RequestRefused, match="not valid"):
        told.app.approvals.decide_by_link(token, "approve", "fine", "ada")

    assert told.run()["state"] == "HELD"


@pytest.mark.parametrize("status", [503, 429, 404, 302])
def test_a_webhook_that_fails_is_tried_again_with_the_same_id_and_holds_nothing_up(
    told: World, receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [status]
    hold(told)

    with caplog.at_level(logging.INFO):
        told.app.announcing.announce_due()
    assert len(receiver.bodies) == 1  # a redirect is not followed
    run = told.app.approvals.approve(told.run()["id"], "ada", "fine")
    told.app.evaluation.evaluate("census", run["id"])
    assert told.run()["state"] == "PROMOTED"
    told.app.announcing.announce_due()  # a new state waits for nothing

    assert json.loads(receiver.bodies[-1])["state"] == "PROMOTED"
    report = told.app.reporting.read(run["id"], "md")
    assert report
    assert report.data.startswith(b"# PROMOTED")
    assert "announcement.failed" in caplog.text
    assert "with-a-secret-path" not in caplog.text
    assert SECRET not in caplog.text


def test_news_that_were_not_taken_come_again(told: World, receiver: Receiver) -> None:
    receiver.statuses = [500, 500]
    hold(told)

    for _ in range(4):
        told.app.announcing.announce_due()
        told.pass_time(minutes=3)

    assert len({headers["Relearn-Id"] for headers in receiver.headers}) == 1
    assert len(receiver.bodies) == 3
