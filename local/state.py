"""The state folder: secrets, ports, logs and the emulator's data, for one environment at a time."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from local.errors import LocalError


@dataclass(frozen=True, repr=False)
class Keys:
    """Secrets of one local environment, made once and kept in its folder; worthless anywhere else."""

    studio_secret: str
    workspace: str
    workspace_token: str
    master_key: str
    function_key: str
    approval_secret: str

    @classmethod
    def generate(cls) -> Keys:
        """Make fresh ones."""
        return cls(
            studio_secret=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            workspace=secrets.token_hex(16),
            workspace_token=secrets.token_hex(16),
            master_key=secrets.token_urlsafe(40),
            function_key=secrets.token_urlsafe(40),
            approval_secret=secrets.token_hex(32),
        )


class StateFolder:
    """A folder that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def logs(self) -> Path:
        """One log file for each part."""
        return self.path / "logs"

    @property
    def storage(self) -> Path:
        """The emulator's data."""
        return self.path / "azurite"

    def open(self) -> None:
        """
        Make the folder and hold it until `close`.

        Raises:
            LocalError: Another environment holds it.
        """
        for folder in (self.path, self.logs, self.storage):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.path / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise LocalError(f"an environment is running in {self.path} already (process {holder}): stop it") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    @property
    def is_held(self) -> bool:
        """Whether this process holds the folder."""
        return self._lock is not None

    def close(self) -> None:
        """Let another environment have the folder."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def keys(self) -> Keys:
        """Return the folder's secrets, making them the first time."""
        kept, fresh = self.read("keys.json"), asdict(Keys.generate())
        keys = fresh | kept  # a folder of an earlier version may lack one
        if keys != kept:
            self.write("keys.json", keys)
        return Keys(**keys)

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the folder; empty when it is not there."""
        try:
            body = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise LocalError(f"{self.path / name} is damaged ({error}): delete it, or run: make clean") from error
        return dict(body)

    def write(self, name: str, body: Mapping[str, Any]) -> None:
        """Replace a JSON file of the folder at once, readable by its owner alone."""
        fresh = self.path / f"{name}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(body, file, indent=2)
        fresh.replace(self.path / name)

    def remove(self, name: str) -> None:
        """Delete a file of the folder, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def port(self, name: str, wanted: int | None = None) -> int:
        """
        Choose a loopback port, the same as last time where it is free.

        Raises:
            LocalError: The port asked for is taken.
        """
        kept = self.read("ports.json")
        if wanted is not None and not _is_free(wanted):
            raise LocalError(f"port {wanted} is in use: stop the program that has it, or name another with PORT=…")
        port = wanted or kept.get(name)
        if not port or not _is_free(port):
            port = _free_port(kept.values())
        self.write("ports.json", kept | {name: port})
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def _free_port(others: Collection[int]) -> int:
    """Choose a free port that no other part was given: theirs may not be bound yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in others:
            return port
