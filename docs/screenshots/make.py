"""
Makes the pictures of this folder again: `make screenshots DATA=adult.csv`.

A whole environment is started, files of growing size and one with shuffled labels are dropped, and the pages that come
of it are looked at with headless Chromium.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tools")]

from browser import Browser, found  # noqa: E402 - found by the paths above

from examples.census.files import derive  # noqa: E402
from local.api import FunctionApi  # noqa: E402
from local.drop import drop  # noqa: E402
from local.environment import Addresses, Environment, install_storage  # noqa: E402
from local.following import follow  # noqa: E402
from local.places import WORK  # noqa: E402
from local.timeline import Timeline  # noqa: E402

_WITHIN_S = 240.0
_ROWS = (4_000, 9_000, 16_000)  # of the growing files; the last one holds all


def main() -> int:
    """Make every picture."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, help="a CSV file with the columns of UCI Adult (default: synthetic rows)")
    program = found()
    if program is None:
        print("no Chromium found: install one, it draws the pictures", file=sys.stderr)
        return 1
    timeline = Timeline()
    install_storage(timeline.say)
    WORK.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="screenshots-", dir=WORK))
    files = derive(folder / "files", options.parse_args().data)
    with Environment(folder, timeline.say) as environment:
        addresses = environment.start(lambda _: files)
        for name, path in _dropped(folder, files.larger, files.shuffled, files.text_in_number.path):
            dropped_at = drop(addresses.storage, path, "census", name)
            with FunctionApi(addresses.functions_url, addresses.function_key) as api:
                follow(api, f"census/{name}", dropped_at, timeline, environment.check, _WITHIN_S)
        browser = Browser(program, folder / "profile")
        try:
            _look(browser, addresses)
        finally:
            browser.close()
    shutil.rmtree(folder)
    return 0


def _dropped(folder: Path, larger: Path, shuffled: Path, broken: Path) -> list[tuple[str, Path]]:
    lines = larger.read_text(encoding="utf-8").splitlines(keepends=True)
    grown = []
    for n_rows in _ROWS:
        path = folder / f"{n_rows}-rows.csv"
        path.write_text("".join(lines[: n_rows + 1]), encoding="utf-8")
        grown.append((path.name, path))
    return [*grown[:2], (shuffled.name, shuffled), *grown[2:], (broken.name, broken), (larger.name, larger)]


def _look(browser: Browser, addresses: Addresses) -> None:
    page = f"{addresses.functions_url}/api/dashboard"
    browser.open(page)
    browser.run(f"sessionStorage.setItem('relearn-key', '{addresses.function_key.reveal()}')")
    with FunctionApi(addresses.functions_url, addresses.function_key) as api:
        promoted = next(run.id for run in api.runs() if run.state == "PROMOTED")
    browser.open(page)
    _wait(browser, f"a[href='#/report/{promoted}']")  # the report may be a tick behind its run
    for name, width, height, view in (
        ("dashboard", 1100, 1250, ""),
        ("model", 1100, 1000, "#/model/census"),
        ("report", 1000, 1500, f"#/report/{promoted}"),
        ("report-whole", 1000, None, f"#/report/{promoted}"),
        ("dashboard-narrow", 375, 900, ""),
    ):
        browser.open("about:blank", width=width)
        browser.open(page + view, width=width)
        _wait(browser, "#content section")
        height = height or browser.run("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        (HERE / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        print(f"{datetime.now(UTC):%H:%M:%S} {name}.png")


def _wait(browser: Browser, selector: str) -> None:
    until = time.monotonic() + _WITHIN_S
    while not browser.run(f"!!document.querySelector({json.dumps(selector)})"):
        if time.monotonic() > until:
            raise TimeoutError(f"the page never has {selector}: {browser.run('document.body.innerText')}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
