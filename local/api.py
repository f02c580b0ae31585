"""The function app's HTTP API, as the local environment reads it: datasets, runs, health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from shared.secret import Secret

_TIMEOUT_S = 20.0
_FINAL_DATASET_STATES = frozenset({"DUPLICATE", "QUARANTINED", "REPLACED"})


class ApiUnavailable(Exception):
    """The function app did not answer as documented; it may be starting."""


@dataclass(frozen=True)
class Stage:
    """A state that a run reached, and when (UTC)."""

    state: str
    at: datetime


@dataclass(frozen=True)
class Dataset:
    """One training file of the ledger; `name` is its path in the container."""

    name: str
    state: str
    reason: str
    problems: Sequence[Mapping[str, Any]]
    duplicate_of: str
    run_id: str
    seen_at: datetime
    settled_at: datetime | None

    @property
    def is_final(self) -> bool:
        """Whether no run follows."""
        return self.state in _FINAL_DATASET_STATES

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Dataset:
        """Read one entry of `datasets`."""
        return cls(
            name=body["name"],
            state=body["state"],
            reason=body["reason"] or "",
            problems=body["problems"] or (),
            duplicate_of=body["duplicate_of"] or "",
            run_id=body["run_id"] or "",
            seen_at=datetime.fromisoformat(body["seen_at"]),
            settled_at=datetime.fromisoformat(body["settled_at"]) if body["settled_at"] else None,
        )


@dataclass(frozen=True)
class Run:
    """One run; `verdict` is the gate's evidence as plain JSON, None before it was judged."""

    id: str
    state: str
    is_final: bool
    reason: str
    datasets: Sequence[str]
    stages: Sequence[Stage]
    verdict: Mapping[str, Any] | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Run:
        """Read one run."""
        return cls(
            id=body["id"],
            state=body["state"],
            is_final=body["is_final"],
            reason=body["reason"] or "",
            datasets=body["datasets"],
            stages=tuple(Stage(s["state"], datetime.fromisoformat(s["at"])) for s in body["stages"]),
            verdict=body["verdict"],
        )


class FunctionApi:
    """Reads the function app's state with a function key; every call may raise `ApiUnavailable`."""

    def __init__(self, url: str, key: Secret) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["x-functions-key"] = key.reveal()

    def __enter__(self) -> FunctionApi:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def datasets(self) -> list[Dataset]:
        """Return every file of the ledger."""
        return [Dataset.from_json(body) for body in self._get("datasets")["datasets"]]

    def runs(self) -> list[Run]:
        """Return every run."""
        return [Run.from_json(body) for body in self._get("runs")["runs"]]

    def run(self, run_id: str) -> Run:
        """Return one run."""
        return Run.from_json(self._get(f"runs/{run_id}"))

    def _get(self, path: str) -> Any:
        address = f"{self.url}/api/{path}"
        try:
            answer = self._session.get(address, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ApiUnavailable(f"GET {address}: {error}") from error
