"""
Runs a Python program that ends with its parent, on every system, even when the parent was killed.

    python -m local.lifeline MODULE ARGUMENT…

The parent holds the other end of standard input and never writes to it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _watch(stream: int) -> None:
    while os.read(stream, 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> None:
    program, *arguments = sys.argv[1:]
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="lifeline", daemon=True).start()
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
