"""The help pages in a browser: the form scores a row by keyboard alone and keeps the key to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, found
from exchanges import DATA, TOKEN, Published, bearer, people, wait_for

from studio.commands.publish import publish
from studio.services.addresses import Addresses

PROGRAM = found()

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium found: the help pages are not tried in a browser")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(str(PROGRAM), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def location(standing: Published) -> str:
    shown = standing.client.get(standing.endpoint("live")["management_url"], headers=bearer(TOKEN)).json()
    return str(shown["HelpLocation"])


def outcome(browser: Browser) -> str:
    wait_for(
        lambda: browser.run("!!document.querySelector('#outcome table, #outcome .bad')"), "the form to show an outcome"
    )
    return str(browser.run("document.getElementById('outcome').innerText"))


def focused(browser: Browser) -> str:
    return str(browser.run("document.activeElement.id || document.activeElement.textContent.trim()"))


def tab_to(browser: Browser, target: str) -> None:
    for _ in range(40):
        browser.press("Tab", 9)
        if focused(browser) == target:
            return
    raise AssertionError(f"{target} is not reached by Tab")


def test_a_row_is_scored_by_keyboard_alone(browser: Browser, standing: Published, location: str) -> None:
    key = standing.endpoint("live")["primary_key"]
    browser.open(f"{location}/score")
    browser.requests.clear()

    tab_to(browser, "key")
    browser.type(key)
    browser.press("Enter", 13, "\r")

    shown = outcome(browser)
    assert "Scored Labels" in shown
    assert "Scored Probabilities" in shown
    [request] = browser.requests
    assert request["url"].endswith("/execute?api-version=2.0&details=true")
    assert key not in request["url"]
    assert key not in browser.run("document.location.href")
    assert browser.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    assert browser.errors == []


def test_a_wrong_key_is_said_in_words(browser: Browser, location: str) -> None:
    browser.open(f"{location}/score")

    browser.run("document.getElementById('key').focus()")
    browser.type("wrong")
    browser.press("Enter", 13, "\r")

    assert "401 Unauthorized. ScoreRequestUnauthorized: Invalid credentials provided." in outcome(browser)
    browser.errors.clear()


def test_a_cell_that_cannot_be_read_is_named(browser: Browser, standing: Published, location: str) -> None:
    browser.open(f"{location}/score")
    browser.run("document.getElementById('key').focus()")
    browser.type(standing.endpoint("live")["primary_key"])
    browser.run("document.getElementById('cell-1').value = 'old'")

    browser.run("document.querySelector('button').click()")

    assert "'age'" in outcome(browser)
    browser.errors.clear()


@pytest.fixture(scope="module")
def with_parameters(standing: Published, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The help location and a key of an experiment whose scoring has a parameter."""
    folder = tmp_path_factory.mktemp("parameters")
    text = (DATA / "income.toml").read_text(encoding="utf-8").replace("Income", "Adjusted")
    (folder / "adjusted.toml").write_text(text + '"Cut" = { sets = "score.Threshold" }\n', encoding="utf-8")
    publication = publish(standing.service, folder / "adjusted.toml", people(folder / "a.csv", 300), ["live"])
    standing.service.registry.refresh()
    live = next(endpoint for endpoint in publication.endpoints if endpoint.name == "live")
    return Addresses(standing.service.settings.url).help(live), live.primary_key.reveal()


def test_the_form_sends_web_service_parameters(browser: Browser, with_parameters: tuple[str, str]) -> None:
    location, key = with_parameters
    labels = []
    for cut in ("0", "1"):
        browser.open(f"{location}/score")
        assert browser.run("document.getElementById('parameter-1').value") == "0.5"
        browser.run(f"document.getElementById('parameter-1').value = '{cut}'")
        browser.run("document.getElementById('key').focus()")
        browser.type(key)
        browser.press("Enter", 13, "\r")
        labels.append(">50K" in outcome(browser))

    assert labels == [True, False]
    assert browser.errors == []


@pytest.mark.parametrize("suffix", ["", "/score", "/jobs", "/update"])
def test_a_page_fits_a_narrow_screen_without_errors(browser: Browser, location: str, suffix: str) -> None:
    browser.open(location + suffix, width=400)

    assert browser.run("document.documentElement.scrollWidth") <= 400
    assert browser.run("getComputedStyle(document.querySelector('nav')).display") == "flex"
    assert browser.errors == []


def test_every_field_has_a_label(browser: Browser, location: str) -> None:
    browser.open(f"{location}/score")

    assert browser.run("document.querySelectorAll('input').length") == 5
    assert browser.run("[...document.querySelectorAll('input')].filter((field) => !field.labels.length).length") == 0


def test_the_first_stop_of_the_keyboard_skips_to_the_content(browser: Browser, location: str) -> None:
    browser.open(f"{location}/score")

    browser.press("Tab", 9)

    assert focused(browser) == "Skip to content"


def test_a_picture_of_the_page_is_not_empty(browser: Browser, location: str, tmp_path: Path) -> None:
    browser.open(f"{location}/score")

    browser.screenshot(tmp_path / "score.png")

    assert (tmp_path / "score.png").stat().st_size > 10_000
