"""Whether something answers at an address at all, and what time it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

_TIMEOUT_S = (2.0, 3.0)


@dataclass(frozen=True)
class Reached:
    """What came back: `failure` names why nothing did, `date` is the answer's own clock, where it told it."""

    failure: str = ""
    date: datetime | None = None


def reach(url: str) -> Reached:
    """Ask the root of an address, without any key; whatever status comes back, somebody is there."""
    parts = urlsplit(url)
    try:
        answer = requests.get(
            f"{parts.scheme}://{parts.netloc}/", timeout=_TIMEOUT_S, allow_redirects=False, stream=True
        )
    except requests.RequestException as failed:
        return Reached(f"no answer from {parts.netloc} ({type(failed).__name__})")
    with answer:
        return Reached(date=_date(answer.headers.get("Date", "")))


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
