"""The dashboard in a browser: every button, the empty state, many models, hostile names, a narrow screen, no mouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from browser import Browser, found
from census_rows import people
from dashboard_host import KEY, ROOT, host_of
from retraining_world import World

from shared.composition import compose

PROGRAM = found()
HOSTILE = "<img src=x onerror=alert(1)>.csv"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium found: the dashboard is not tried in a browser")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(str(PROGRAM), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def wait_for(look: Callable[[], object], what: str) -> None:
    until = time.monotonic() + 30
    while not look():
        assert time.monotonic() < until, f"{what}: not seen"
        time.sleep(0.05)


class Visitor:
    """A person with a browser and no mouse."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url

    def open(self, width: int = 1100) -> None:
        self.browser.open("about:blank")  # the page of the test before has lost its app
        self.browser.errors.clear()
        self.browser.open(f"{self.url}/api/dashboard", width=width)
        if self.browser.run("!sessionStorage.getItem('relearn-key')"):
            wait_for(lambda: self.focused() == "key", "the form for the key")
            self.browser.type(KEY)
            self.browser.press("Enter", 13, "\r")
        self.sees("Models")

    def sees(self, text: str) -> None:
        wait_for(lambda: text in self.text(), f"'{text}' in {self.text()[:2000]}")

    def text(self) -> str:
        return str(self.browser.run("document.body.innerText"))

    def fits(self, width: int) -> bool:
        return bool(self.browser.run("document.documentElement.scrollWidth") <= width)

    def n_posts(self) -> int:
        return sum(sent["method"] == "POST" for sent in self.browser.requests)

    def focused(self) -> str:
        return str(self.browser.run("document.activeElement.id"))

    def tab_to(self, target: str) -> None:
        wait_for(lambda: self.browser.run(f"!!document.getElementById('{target}')"), target)
        for _ in range(250):
            self.browser.press("Tab", 9)
            if self.focused() == target:
                return
        raise AssertionError(f"{target} is not reached by Tab")

    def press(self, target: str) -> None:
        """Press a button, or follow a link, by keyboard."""
        self.tab_to(target)
        self.browser.press("Enter", 13, "\r")

    def begin(self, button: str) -> None:
        """Press a button that asks for a reason."""
        self.press(button)
        wait_for(lambda: self.focused() == "reason", "the dialog")

    def ask(self, button: str, reason: str) -> None:
        """Press a button by keyboard and give a reason."""
        self.begin(button)
        self.browser.type(reason)
        self.browser.press("Tab", 9)
        self.browser.run("document.getElementById('by').value = ''")
        self.browser.type("ada")
        self.browser.press("Enter", 13, "\r")
        self.sees("taken up.")


def with_models(world: World, text: str, folder: Path) -> None:
    """Give the world other models."""
    file = folder / "models.toml"
    file.write_text(text)
    world.environment["MODELS_FILE"] = str(file)
    world.app = compose(world.environment, world.clock)
    world.app.evaluation._scoring._staging._settle = world.app.evaluation._promotion._deadline = timedelta(seconds=1)


def declared() -> str:
    return (ROOT / "models.toml").read_text()


def train(world: World, quality: float, seed: int, until: str) -> str:
    """Drop a file while the app runs, and wait for its run to come to a state."""
    world.service.quality = quality
    world.drop(f"file-{seed}.csv", people(600, seed=seed))
    wait_for(lambda: world.run()["state"] == until, f"run {seed} {until}")
    return str(world.run()["id"])


def test_every_button_does_what_it_says_by_keyboard_alone(world: World, browser: Browser, tmp_path: Path) -> None:
    with_models(world, declared() + '\n[models.census.approval]\nask = "always"\n', tmp_path)
    world.drop(HOSTILE, people(600).replace(b",Male,", b",Male,many,", 1))
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        held = train(world, 0.9, 1, "HELD")
        visitor.open()

        visitor.sees("Waiting for a person")
        visitor.sees(HOSTILE)
        visitor.ask(f"approve-{held}", "looked at the report")
        visitor.sees("PROMOTED")
        rejected = train(world, 0.1, 2, "REJECTED")
        second = train(world, 1.0, 3, "HELD")
        visitor.ask(f"reject-{second}", "not today")
        visitor.sees("rejected by ada: not today")
        visitor.ask("rollback-census", "it was better before")
        visitor.sees("ROLLBACK")
        wait_for(lambda: world.service.served["live"] == "quality=0.5", "the published model to serve")
        visitor.ask(f"override-{rejected}", "we need it all the same")
        wait_for(lambda: world.service.served["live"] == "quality=0.1", "the refused model to serve")

        visitor.ask("retrain-census", "see what waits")
        world.service.faults.job_status = "Running"
        cancelled = train(world, 1.0, 4, "TRAINING")
        visitor.ask(f"cancel-{cancelled}", "a mistake")
        visitor.sees("cancelled by ada: a mistake")
        world.service.faults.job_status = "Finished"
        visitor.ask(f"retry-{cancelled}", "no mistake")
        wait_for(lambda: world.run()["id"] != cancelled, "a new run")
        quarantined = world.dataset(HOSTILE)
        visitor.ask(visitor.browser.run("document.querySelector('button.release').id"), "the contract is wider now")
        assert quarantined["state"] == world.dataset(HOSTILE)["state"] == "QUARANTINED"
        assert world.dataset(HOSTILE)["asks"][0]["by"] == "ada"

        def is_exported() -> bool:
            """The list is drawn anew every few seconds; a key that falls into that moment is pressed again."""
            visitor.press("export")
            time.sleep(1)
            return any("decisions?format=csv" in sent["url"] for sent in browser.requests)

        wait_for(is_exported, "the export")
        visitor.press(f"report-{rejected}")
        visitor.sees("Where they disagree")
        assert (
            browser.run("getComputedStyle(document.querySelector('.plot-curves .serie-1 .line')).strokeDasharray")
            != "none"
        )
        browser.run("history.back()")
        visitor.press("model-census")
        visitor.sees("Serves the model of run")
        visitor.sees("each pair on the holdout of its time")

        approvals = {
            link.evidence.get("approval", {}) and link.evidence["approval"]["by"]
            for link in world.app.history.decisions("census")
        }
        assert "ada" in approvals
        assert not [request for request in browser.requests if KEY in request["url"]]
        assert browser.run("document.querySelectorAll('#content img').length") == 0
        assert browser.errors == []


def test_what_was_begun_is_left_and_nothing_is_sent(world: World, browser: Browser) -> None:
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        visitor.open()
        browser.requests.clear()

        visitor.begin("retrain-census")
        browser.type("not meant")
        visitor.press("leave")
        wait_for(lambda: visitor.focused() == "retrain-census", "the focus where it was")
        visitor.begin("retrain-census")
        assert browser.run("document.getElementById('reason').value") == ""
        browser.press("Enter", 13, "\r")  # a line in the reason
        browser.press("Escape", 27)
        wait_for(lambda: visitor.focused() == "retrain-census", "the focus where it was")
        visitor.begin("retrain-census")
        visitor.press("go")
        assert browser.run("document.getElementById('ask').open")  # without a reason nothing is asked
        browser.press("Escape", 27)
        assert visitor.n_posts() == 0

        visitor.press("skip")
        assert visitor.focused() == "content"
        visitor.sees("Models")
        visitor.press("home")
        visitor.sees("Models")
        visitor.press("forget")
        wait_for(lambda: visitor.focused() == "key", "the form for the key")
        assert "Models" not in visitor.text()
        assert browser.run("sessionStorage.getItem('relearn-key')") is None
        browser.type(KEY)
        visitor.press("open")
        visitor.sees("Models")
        assert browser.errors == []


def test_an_answer_that_comes_after_the_key_was_forgotten_shows_nothing(world: World, browser: Browser) -> None:
    def delayed(milliseconds: int) -> None:
        limits = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
        browser.call("Network.emulateNetworkConditions", latency=milliseconds, **limits)

    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        visitor.open()
        browser.requests.clear()
        delayed(700)
        try:
            browser.run("dispatchEvent(new HashChangeEvent('hashchange'))")  # asks for the content
            browser.run("document.getElementById('forget').click()")
            wait_for(lambda: any("content" in sent["url"] for sent in browser.requests), "the request")
            time.sleep(1.5)  # its answer
        finally:
            delayed(0)

        assert visitor.text().count("Models") == 0
        assert visitor.focused() == "key"


def test_a_models_own_page_offers_what_the_overview_does(world: World, browser: Browser) -> None:
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        promoted = train(world, 0.9, 1, "PROMOTED")
        visitor.open()
        visitor.press("model-census")
        visitor.sees("Serves the model of run")

        visitor.ask("rollback-census", "it was better before")
        wait_for(lambda: world.service.served["live"] == "quality=0.5", "the published model to serve")
        visitor.sees("it was better before")
        world.service.faults.job_status = "Running"
        cancelled = train(world, 1.0, 2, "TRAINING")
        visitor.ask(f"cancel-{cancelled}", "a mistake")
        visitor.sees("cancelled by ada: a mistake")
        visitor.ask("retrain-census", "see what waits")
        visitor.press(f"report-{promoted}")
        visitor.sees("Gain, with its interval")
        browser.run("document.querySelector('#thresholds summary').focus()")
        browser.press("Enter", 13, "\r")
        assert browser.run("document.getElementById('thresholds').open")
        browser.run("history.back()")
        visitor.press("back")
        visitor.sees("Decisions")
        assert browser.run("location.hash") == "#/"
        assert browser.errors == []


def test_everything_fits_a_narrow_screen(world: World, browser: Browser, tmp_path: Path) -> None:
    with_models(world, declared() + '\n[models.census.approval]\nask = "always"\n', tmp_path)
    world.drop(HOSTILE, people(600).replace(b",Male,", b",Male,many,", 1))
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        first = train(world, 0.9, 1, "HELD")
        visitor.open()
        visitor.ask(f"approve-{first}", "a reason that goes on and on, " * 5)
        visitor.sees("PROMOTED")
        held = train(world, 1.0, 2, "HELD")
        visitor.open(width=375)

        visitor.sees("Waiting for a person")
        assert visitor.fits(375)
        visitor.begin(f"reject-{held}")
        assert visitor.fits(375)
        box = browser.run("(({left, right}) => [left, right])(document.getElementById('ask').getBoundingClientRect())")
        assert 0 <= box[0] < box[1] <= 375
        browser.press("Escape", 27)
        visitor.press("model-census")
        visitor.sees("Serves the model of run")
        assert visitor.fits(375)
        visitor.press(f"report-{held}")
        visitor.sees("Gain, with its interval")
        assert visitor.fits(375)
        assert browser.errors == []


def test_an_app_that_has_done_nothing_says_what_to_do(world: World, browser: Browser) -> None:
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        visitor.open(width=375)

        for words in ("Nothing runs. A file dropped into", "not looked at yet", "Nothing was decided", "1 model"):
            visitor.sees(words)
        assert visitor.fits(375)
        assert browser.errors == []


def test_a_wrong_key_is_refused_in_words_and_forgotten(world: World, browser: Browser) -> None:
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        browser.open(f"{host.url}/api/dashboard")
        wait_for(lambda: visitor.focused() == "key", "the form for the key")
        browser.type("wrong")
        browser.press("Enter", 13, "\r")

        visitor.sees("The key was refused")
        assert browser.run("sessionStorage.getItem('relearn-key')") is None
        browser.errors.clear()  # the browser notes the 401 itself


def test_a_thousand_models_are_searched_and_paged(world: World, browser: Browser, tmp_path: Path) -> None:
    one = declared().partition("[models.census]")[2]
    sections = [
        f"[models.census-{n:04d}]"
        + one.replace("models.census.", f"models.census-{n:04d}.").replace('"census"', f'"f{n}"')
        for n in range(1000)
    ]
    with_models(world, "\n".join(sections), tmp_path)
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        visitor.open()

        visitor.sees("1\u202f000 models")
        visitor.sees("Page 1 of 20")
        visitor.press("older")
        visitor.sees("Page 2 of 20")
        visitor.press("newer")
        visitor.sees("Page 1 of 20")
        browser.run("history.back()")
        visitor.sees("Page 2 of 20")
        visitor.tab_to("q")
        browser.type("0778")
        visitor.press("search")
        visitor.sees("census-0778")
        browser.run("document.getElementById('q').value = ''")
        visitor.tab_to("q")
        browser.type("0777")
        browser.press("Enter", 13, "\r")
        visitor.sees("1 model")
        visitor.sees("census-0777")
        assert browser.errors == []

        browser.run("window.asked = fetch; window.fetch = () => Promise.reject(new TypeError('away')); 0")
        browser.run("dispatchEvent(new Event('hashchange')); 0")
        visitor.sees("No answer; trying again.")
        browser.run("window.fetch = window.asked; location.hash = '#/model/census-0777'; 0")
        visitor.sees("Files in quarantine")
        wait_for(lambda: "No answer" not in visitor.text(), "the app is back, and the page says so")
        browser.run("document.body.style.minHeight = '5000px'; scrollTo(0, 800); location.hash = '#/'; 0")
        visitor.sees("Page 1 of 20")
        assert browser.run("scrollY") == 0  # another page begins at its top


@pytest.fixture
def scriptless(browser: Browser) -> Iterator[Browser]:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    yield browser
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("dashboard", ["relearn models", "relearn approve RUN --reason WHY", "…/api/dashboard/content"]),
        ("decide", ["relearn approve RUN --reason WHY", "relearn reject RUN --reason WHY"]),
    ],
)
def test_without_a_script_a_page_says_what_to_do_instead(
    world: World, scriptless: Browser, page: str, words: list[str]
) -> None:
    with host_of(world) as host:
        scriptless.open(f"{host.url}/api/{page}")
        text = str(scriptless.run("document.body.innerText"))

    assert "This page needs its script" in text
    assert all(word in text for word in words)
    shown = "[...document.querySelectorAll('form, button, input')].filter(it => it.checkVisibility()).length"
    assert scriptless.run(shown) == 0


def test_the_content_alone_is_readable_without_a_script(world: World, scriptless: Browser, tmp_path: Path) -> None:
    """As docs/dashboard.md says how to fetch it."""
    world.drop(HOSTILE, people(600).replace(b",Male,", b",Male,many,", 1))
    with host_of(world) as host:
        train(world, 0.9, 1, "PROMOTED")
        for query in ("", "?model=census"):
            answer = requests.get(
                f"{host.url}/api/dashboard/content{query}", headers={"x-functions-key": KEY}, timeout=30
            )
            (tmp_path / "content.html").write_text(answer.text, encoding="utf-8")
            scriptless.open((tmp_path / "content.html").as_uri())
            text = str(scriptless.run("document.body.innerText"))

            assert "<script" not in answer.text
            assert "census" in text
            assert "PROMOTED" in text
            assert ("quarantine" in text.lower() and HOSTILE in text) or query


def test_a_link_shows_the_report_and_decides_once(world: World, browser: Browser, tmp_path: Path) -> None:
    world.environment |= {"APP_URL": "https://app.example", "APPROVAL_SECRET": "planted-approval-secret-of-length"}
    with_models(world, declared() + '\n[models.census.approval]\nask = "always"\n', tmp_path)
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        held = train(world, 0.9, 1, "HELD")
        run = world.app.reporting._runs.find("census", held)
        assert run
        link = world.app.deciding.link(run).replace("https://app.example", host.url)
        wait_for(lambda: world.app.reporting.read(held, "html"), "the report")
        browser.open("about:blank")
        browser.errors.clear()
        browser.requests.clear()

        browser.open(link)
        visitor.sees("Gain, with its interval")
        visitor.tab_to("reason")
        browser.type("looked at it")
        visitor.tab_to("by")
        browser.type("ada")
        visitor.press("approve")
        visitor.sees("Taken up: approved by ada: looked at it")
        wait_for(lambda: world.run()["state"] == "PROMOTED", "the promotion")
        browser.open("about:blank")
        browser.open(link)
        visitor.sees("decided already")

        token = link.partition("#")[2]
        assert not [request for request in browser.requests if token in request["url"].partition("#")[0]]


def test_a_link_refuses_as_well(world: World, browser: Browser, tmp_path: Path) -> None:
    world.environment |= {"APP_URL": "https://app.example", "APPROVAL_SECRET": "planted-approval-secret-of-length"}
    with_models(world, declared() + '\n[models.census.approval]\nask = "always"\n', tmp_path)
    with host_of(world) as host:
        visitor = Visitor(browser, host.url)
        held = train(world, 0.9, 1, "HELD")
        run = world.app.reporting._runs.find("census", held)
        assert run
        browser.open("about:blank")
        browser.errors.clear()

        browser.open(world.app.deciding.link(run).replace("https://app.example", host.url), width=375)
        visitor.sees("waits for a person")
        assert visitor.fits(375)
        visitor.tab_to("reason")
        browser.type("not today")
        visitor.tab_to("by")
        browser.type("ada")
        visitor.press("reject")
        visitor.sees("Taken up: rejected by ada: not today")
        wait_for(lambda: world.run()["state"] == "REJECTED", "the rejection")
        visitor.press("home")
        visitor.sees("Function key" if browser.run("!sessionStorage.getItem('relearn-key')") else "Models")
        assert browser.errors == []
