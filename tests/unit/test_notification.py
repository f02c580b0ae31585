"""What people are told: the facts in three shapes, signed; by whom a model's file says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reports import HOSTILE, judged, run, scores

from shared.declarations.notify_section import read_notify
from shared.declarations.section import Section
from shared.domain.lifecycle.notification import NEWS, Form, Links, message, news_of, signature
from shared.domain.lifecycle.runs import RunState
from shared.secret import Secret

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
SECRET = Secret("a secret of a sufficient length....")
LINKS = Links("https://app.example/api/dashboard#/report/census-1", "https://app.example/api/decide#token")
SETTINGS = {
    "URL": "https://hooks.example/x",
    "SECRET": SECRET.reveal(),
    "PLAIN": "http://hooks.example",
    "SHORT": "short",
}


def is_genuine(body: bytes, header: str, secret: str) -> bool:
    """The check that docs/notifications.md gives to receivers."""
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], names)  # noqa: S102 - the page's own code is tested
    return bool(names["is_genuine"](body, header, secret))


def test_the_documented_check_accepts_a_message_and_refuses_a_changed_old_or_foreign_one() -> None:
    body, now = b'{"id": "1"}', datetime.now(UTC)
    header = signature(body, SECRET, now)

    assert is_genuine(body, header, SECRET.reveal())
    assert not is_genuine(body + b" ", header, SECRET.reveal())
    assert not is_genuine(body, header, "another secret")
    assert not is_genuine(body, signature(body, SECRET, now - timedelta(minutes=6)), SECRET.reveal())


def test_the_facts_hold_verdict_reason_links_and_the_way_back() -> None:
    news = news_of(judged(scores()), LINKS)

    documented = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    assert news.keys() == documented.keys()
    assert news["verdict"].keys() == documented["verdict"].keys()
    assert [news["id"], news["event"], news["command"]] == [
        "census-1.5",
        "run.promoted",
        "relearn rollback census --to initial --reason WHY",
    ]
    assert news["verdict"]["outcome"] == "PROMOTE"
    assert news["reason"].startswith("AUC 0.9")


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("state", sorted(NEWS, key=lambda state: state.value))
def test_every_state_has_a_message_in_every_form(form: Form, state: RunState) -> None:
    text = json.dumps(message(news_of(run(state, reason="because"), LINKS), form), ensure_ascii=False)

    assert "because" in text
    assert state.value.replace("_", " ") in text.replace("_", " ")
    assert LINKS.report in text


@pytest.mark.parametrize("form", [Form.TEAMS, Form.SLACK])
@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({"outcome": "HOLD", "paired": True}, "HOLD"),
        ({"outcome": "HOLD", "paired": False}, "HOLD (UNPAIRED)"),
        ({"outcome": "ERROR", "paired": False}, "ERROR"),
    ],
)
def test_people_are_told_the_verdict_and_whether_it_compared(form: Form, verdict: dict[str, Any], said: str) -> None:
    text = json.dumps(message(news_of(run(RunState.HELD, verdict=verdict, reason="because"), LINKS), form))
    before = json.dumps(message(news_of(run(RunState.FAILED, verdict=None, reason="because"), LINKS), form))

    assert re.search(rf'"Verdict", "value": "{re.escape(said)}"|"Verdict {re.escape(said)}\\n', text)
    assert "Verdict" not in before


def test_slack_reads_no_markup_from_a_file_name() -> None:
    sent = message(news_of(run(reason=f"<!channel> {HOSTILE}"), LINKS), Form.SLACK)

    assert "<" not in sent["text"]
    assert {part["text"]["type"] for part in sent["blocks"] if "text" in part} == {"plain_text"}


def test_slack_takes_no_text_longer_than_it_may_be() -> None:
    sent = message(news_of(run(reason="x" * 9000), LINKS), Form.SLACK)

    assert max(len(part["text"]["text"]) for part in sent["blocks"] if "text" in part) == 3000


def test_a_card_for_teams_opens_the_report_and_the_decision() -> None:
    held = news_of(run(RunState.HELD, reason="a person decides"), LINKS)
    (attachment,) = message(held, Form.TEAMS)["attachments"]

    assert [action["url"] for action in attachment["content"]["actions"]] == [LINKS.decide, LINKS.report]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"url": "https://hooks.example", "secret": "%SECRET%"}, "url: holds a secret"),
        ({"url": "%PLAIN%", "secret": "%SECRET%"}, "url: expected an https address"),
        ({"url": "%URL%", "secret": "%SHORT%"}, "secret: has fewer than 16 characters"),
        ({"url": "%URL%", "secret": "%SECRET%", "form": "irc"}, "form: expected one of json, teams, slack"),
        ({"url": "%URL%", "secret": "%SECRET%", "on": ["TRAINING"]}, "on: 'TRAINING' is no state that is told"),
        ({"url": "%URL%"}, "secret: is missing"),
    ],
)
def test_a_section_that_cannot_be_used_says_why(values: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    read_notify(Section("models.census", {"notify": values}, SETTINGS, problems))

    assert any(found.startswith(f"models.census.notify.{problem}") for found in problems), problems


def test_a_section_tells_every_end_unless_it_says_otherwise() -> None:
    problems: list[str] = []
    told = {"notify": {"url": "%URL%", "secret": "%SECRET%", "form": "teams"}}

    notify = read_notify(Section("m", told, SETTINGS, problems))

    assert problems == []
    assert notify
    assert (notify.form, notify.on) == (Form.TEAMS, NEWS)
    assert SETTINGS["URL"] not in repr(notify)
