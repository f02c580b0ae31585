"""The demonstration: five acts in an environment of its own, made for it and removed afterwards."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from examples.census.files import SourceError, derive
from local.acts import ACTS, ActFailed, Stage
from local.environment import Environment, install_storage
from local.errors import LocalError
from local.following import Settled
from local.places import WORK, short
from local.programs import HostKind
from local.timeline import Timeline


def run(timeline: Timeline, *, data: Path | None = None, host: HostKind = HostKind.LOCAL) -> int:
    """
    Play all acts.

    Args:
        data: The rows to use, a CSV file with the columns of UCI Adult; synthetic rows when None.

    Returns:
        0 if every act ended as it should; 1 otherwise, after saying which, how, and where the logs are.

    Raises:
        LocalError: The storage emulator cannot be installed.
    """
    install_storage(timeline.say)
    WORK.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=WORK))
    began = time.monotonic()
    try:
        _play(folder, timeline, data, host)
    except (ActFailed, LocalError) as failed:
        timeline.say(f"\nThe demonstration failed. {failed}\nThe logs are in {short(folder / 'logs')}")
        return 1
    except (SourceError, KeyboardInterrupt) as ended:
        shutil.rmtree(folder)
        timeline.say(f"\nThe demonstration ended early: {str(ended) or 'it was interrupted'}")
        return 1
    shutil.rmtree(folder)
    timeline.say(f"All {len(ACTS)} acts ended as they should, in {time.monotonic() - began:.1f} s.")
    return 0


def _play(folder: Path, timeline: Timeline, data: Path | None, host: HostKind) -> None:
    files = derive(folder / "files", data)
    timeline.say(f"Using {files.source}.")
    with Environment(folder, timeline.say, host=host) as environment:
        addresses = environment.start(lambda _: files)
        stage = Stage(addresses, files, timeline, environment.check)
        for act in ACTS:
            act(stage)
        timeline.table("What became of each file", _COLUMNS, [_row(n, s) for n, s in stage.settled.items()])


_COLUMNS = ("file", "outcome", "reason", "from drop to final state")


def _row(name: str, settled: Settled) -> tuple[str, ...]:
    served = ", served" if settled.outcome == "PROMOTED" else ""
    return name, settled.outcome, settled.reason, f"{settled.seconds:.1f} s{served}"
