"""
A limit on wrong keys: a caller that shows too many to one endpoint is not listened to there for a while.

A caller is a remote address. Other callers of the endpoint, and the caller's other endpoints, are listened to as
before; where somebody is shut out, scoring calls are not answered on the spot, since that way knows no caller.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.types import Scope

from studio.errors import StudioError, Unavailable

MAX_WRONG_KEYS = 20
WINDOW_S = 60.0

_MAX_WATCHED = 10_000  # pairs of caller and endpoint, about 5 MB; the one seen longest ago is forgotten first

_Pair = tuple[str, str]


class KeyGuard:
    """
    Remembers wrong keys in bounded memory; may be used from any thread.

    Args:
        clock: Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[_Pair, deque[float]] = OrderedDict()
        self._shut_until: dict[str, float] = {}  # by door, of which there are as many as endpoints

    def is_open(self, door: str) -> bool:
        """Whether every caller may pass there, whoever it is."""
        return not self._shut_until or self._clock() >= self._shut_until.get(door, 0.0)

    def check(self, scope: Scope, door: str) -> None:
        """
        Let a request pass to the comparison of its key.

        Args:
            door: What the key is for: an endpoint's id, or the name of something else that keys open.

        Raises:
            Unavailable: RequestThrottled, this caller showed `MAX_WRONG_KEYS` wrong ones within `WINDOW_S` seconds.
        """
        if not self._failures:  # nearly always
            return
        pair = (_caller(scope), door)
        with self._lock:
            failures = self._failures.get(pair)
            if failures is None or len(failures) < MAX_WRONG_KEYS:
                return
            wait_s = failures[0] + WINDOW_S - self._clock()
            if wait_s <= 0:
                return
        raise Unavailable(
            "RequestThrottled",
            f"{MAX_WRONG_KEYS} wrong keys came from this address within {WINDOW_S:.0f} seconds; check the key, and try "
            f"again in {wait_s:.0f} seconds",
        )

    def refused(self, scope: Scope, door: str, refusal: StudioError) -> StudioError:
        """Count a wrong key; returns `refusal`, ready to be raised."""
        pair = (_caller(scope), door)
        with self._lock:
            failures = self._failures.setdefault(pair, deque(maxlen=MAX_WRONG_KEYS))
            failures.append(self._clock())
            self._failures.move_to_end(pair)
            if len(failures) == MAX_WRONG_KEYS:
                self._shut_until[door] = max(failures[0] + WINDOW_S, self._shut_until.get(door, 0.0))
            if len(self._failures) > _MAX_WATCHED:
                self._failures.popitem(last=False)
        return refusal


def _caller(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
