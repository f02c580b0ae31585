"""Whether something answers at an address at all, what time it is there, and which code it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

_TIMEOUT_S = (2.0, 3.0)
_MOST_BYTES = 4096
_VERSION_CHARACTERS = 64


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


def version_at(url: str) -> str:
    """Return which code the service at an address says it runs; empty where it does not say, or does not answer."""
    parts = urlsplit(url)
    try:
        answer = requests.get(
            f"{parts.scheme}://{parts.netloc}/health/live", timeout=_TIMEOUT_S, allow_redirects=False, stream=True
        )
        with answer:
            body = json.loads(answer.raw.read(_MOST_BYTES, decode_content=True)) if answer.ok else None
    except (requests.RequestException, HTTPError, ValueError):
        return ""
    said = body.get("version") if isinstance(body, dict) else None
    return said[:_VERSION_CHARACTERS] if isinstance(said, str) else ""


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
