"""The cold import that is printed is that of the package, with what the package holds and nothing beside it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from infra.cold_import import measured
from infra.packaging import SITE_PACKAGES

_BURNT_S = 0.3
_BURN = f"import time\nuntil = time.process_time() + {_BURNT_S}\nwhile time.process_time() < until:\n    pass\n"
_LINE = re.compile(
    r"  (.*): best (\d+\.\d\d) s, median (\d+\.\d\d) s of processor time; (\d+\.\d\d) s by the clock; 5 starts"
)


def _app(folder: Path, function_app: str, **modules: str) -> tuple[Path, Path, str]:
    """Write an app, and modules among its packages; return what is measured."""
    packages = folder / SITE_PACKAGES
    packages.mkdir(parents=True)
    (folder / "function_app.py").write_text(function_app)
    for name, text in modules.items():
        (packages / f"{name}.py").write_text(text)
    return folder, packages, sys.executable


def _figures(lines: list[str]) -> dict[str, tuple[float, float, float]]:
    found = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    assert len(found) == len(lines)
    return {what: (float(best), float(half), float(clock)) for what, best, half, clock in found}


def test_what_a_package_costs_is_in_the_figures(tmp_path: Path) -> None:
    slow = _figures(list(measured(*_app(tmp_path / "slow", "import only_packaged\n", only_packaged=_BURN))))
    quick = _figures(list(measured(*_app(tmp_path / "quick", "import only_packaged\n", only_packaged=""))))

    assert slow.keys() == quick.keys() == {"as deployed", "its own modules compiled too"}
    for best, half, clock in slow.values():
        assert half >= best >= _BURNT_S
        assert clock >= _BURNT_S
    assert all(best < slow["as deployed"][0] for best, _, _ in quick.values())


def test_what_a_package_lacks_is_not_taken_from_elsewhere(tmp_path: Path) -> None:
    import requests  # the Python that measures has it

    assert requests
    with pytest.raises(SystemExit, match=r"(?s)the packaged app does not start:.*No module named 'requests'"):
        list(measured(*_app(tmp_path, "import requests\n")))


def test_an_app_that_fails_at_its_start_says_how(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"(?s)the packaged app does not start:.*RuntimeError: no settings"):
        list(measured(*_app(tmp_path, "raise RuntimeError('no settings')\n")))


def test_it_starts_with_the_samples_settings(tmp_path: Path) -> None:
    wanted = "import os\nassert os.environ['TELEMETRY'] == 'log' and os.environ['AzureWebJobsStorage']\n"

    assert len(list(measured(*_app(tmp_path, wanted)))) == 2
