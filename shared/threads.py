"""
Work in the threads of a pool, whose events are logged by the thread that waits for it.

The Functions host drops what is logged in a thread that belongs to no invocation (azure-functions-python-worker #1358,
#1860), and a pool's threads belong to none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from shared.logs import kept

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Lines = SimpleQueue[Callable[[], None]]


def in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item], at_once: int) -> Iterator[_Result]:
    """
    Do work for each item, so many `at_once`; yield results in the order of the items.

    Raises:
        Exception: What the work for an item raised, in its place.
    """
    lines: _Lines = SimpleQueue()

    def quietly(item: _Item) -> _Result:
        with kept(lines.put):
            return work(item)

    try:
        with ThreadPoolExecutor(at_once, thread_name_prefix="pool") as threads:
            for result in threads.map(quietly, items):
                _say(lines)
                yield result
    finally:
        _say(lines)


def _say(lines: _Lines) -> None:
    while True:
        try:
            line = lines.get_nowait()
        except Empty:
            return
        line()
