"""Which function app is asked, and with which key: options, then the environment, then what `make up` runs here."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from relearn.errors import WrongUsage

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_HERE = (Path.cwd(), Path(__file__).resolve().parents[1])  # `make up` keeps its state in a checkout
_RUNNING = Path(".local/state/running.json")


@dataclass(frozen=True)
class Connection:
    """An address without trailing slash, and the function key."""

    url: str
    key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the address is on this machine."""
        return urlsplit(self.url).hostname in _THIS_MACHINE


def find_connection(
    url: str | None,
    key_file: Path | None,
    environment: Mapping[str, str],
    ask: Callable[[str], str] | None = None,
) -> Connection:
    """
    Find address and key; a key is never taken from the command line, where other users of the machine could read it.

    Args:
        url: From `--url`; else `RELEARN_URL`; else the environment that `make up` runs.
        key_file: From `--key-file`; else `RELEARN_KEY`; else asked for, where somebody is there to answer.
        ask: Asks a person for a text without showing it; by default a prompt, if there is a terminal.

    Raises:
        WrongUsage: No address, no key, or an address that the key must not be sent to.
    """
    address = url or environment.get("RELEARN_URL", "")
    running = {} if address else _running()
    address = _checked(address or running.get("functions_url", ""))
    key = _key_in(key_file) if key_file else environment.get("RELEARN_KEY", "") or running.get("function_key", "")
    return Connection(address, key or _asked(address, ask or _prompt()))


def _running() -> dict[str, str]:
    for folder in _HERE:
        try:
            return dict(json.loads((folder / _RUNNING).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return {}


def _checked(address: str) -> str:
    if not address:
        raise WrongUsage(
            "no function app is named and none runs here: give --url https://NAME.azurewebsites.net, "
            "set RELEARN_URL, or start one with `make up`"
        )
    try:
        parts = urlsplit(address)
    except ValueError as unreadable:
        raise WrongUsage(f"'{address}' is no address: {unreadable}") from unreadable
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        raise WrongUsage(
            f"'{address}' is not https, so a key must not be sent to it: write https://… (http on this machine)"
        )
    if parts.query or parts.username:
        raise WrongUsage("the address holds a key or a user name: give the address alone, the key in RELEARN_KEY")
    return address.rstrip("/").removesuffix("/api")


def _key_in(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        raise WrongUsage(f"--key-file {path} cannot be read: {unreadable}") from unreadable
    if not key:
        raise WrongUsage(f"--key-file {path} is empty: put the function key into it")
    return key


def _asked(address: str, ask: Callable[[str], str] | None) -> str:
    key = ask(f"Function key of {address}: ").strip() if ask else ""
    if not key:
        raise WrongUsage("no key: set RELEARN_KEY, or give --key-file FILE (never the key itself: `ps` would show it)")
    return key


def _prompt() -> Callable[[str], str] | None:
    return getpass.getpass if sys.stdin.isatty() and sys.stderr.isatty() else None
