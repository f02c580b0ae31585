"""How the service is run, apart from what it serves: limits, leases, memory. Every value has a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from studio.batch.doorbell import Doorbell

_MIB = 2**20


@dataclass(frozen=True)
class JobLimits:
    """
    What one batch job may take.

    `seconds` is for fetching and training together, `memory_bytes` the resident memory that training adds to a bare
    process, `outage_seconds` how long a job waits for storage that does not answer before it fails.
    """

    seconds: float = 3600.0
    memory_bytes: int = 8192 * _MIB
    input_bytes: int = 10240 * _MIB  # the classic service's limit for one input
    outage_seconds: float = 900.0


@dataclass(frozen=True)
class Operation:
    """
    The optional settings, as the environment spells them in lower case without STUDIO_.

    Each is a whole number of the unit that its name ends in; the least and greatest values are those of `_RANGES`.
    """

    lease_seconds: int = 30
    job_minutes: int = 60
    job_memory_mib: int = 8192
    input_mib: int = 10240
    outage_minutes: int = 15
    job_days: int = 30
    body_seconds: int = 60
    model_memory_mib: int = 512
    models_kept: int = 5
    processes: int = 1
    log_json: int = 0  # 1 for log lines that are JSON objects
    doorbell_listens_at: int = -1  # these two are set by `serve` for the processes that it starts
    doorbell_rings_at: int = -1

    @property
    def lease(self) -> timedelta:
        """How long a worker holds a job without renewing."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def job_limits(self) -> JobLimits:
        """The limits of one batch job."""
        return JobLimits(
            seconds=self.job_minutes * 60.0,
            memory_bytes=self.job_memory_mib * _MIB,
            input_bytes=self.input_mib * _MIB,
            outage_seconds=self.outage_minutes * 60.0,
        )

    @property
    def jobs_kept_for(self) -> timedelta:
        """How long after its end a job can be asked about."""
        return timedelta(days=self.job_days)

    @property
    def model_memory_bytes(self) -> int:
        """What loaded models may take in one scoring process."""
        return self.model_memory_mib * _MIB

    @property
    def logs_json(self) -> bool:
        """Whether log lines are JSON objects."""
        return self.log_json == 1

    @property
    def doorbell(self) -> Doorbell:
        """What wakes an idle worker of this machine when a job is queued."""
        return Doorbell(self.doorbell_listens_at, self.doorbell_rings_at)

    @classmethod
    def from_env(cls, env: Mapping[str, str], problems: list[str]) -> Operation:
        """Read STUDIO_LEASE_SECONDS and so on; each that cannot be used adds a sentence to `problems`."""
        names = [field.name for field in fields(cls)]
        given = {name: env[_key(name)] for name in names if env.get(_key(name))}
        problems += [_problem(name) for name, text in given.items() if not _is_usable(name, text)]
        return cls(**{name: int(text) for name, text in given.items() if _is_usable(name, text)})


_RANGES = {
    "lease_seconds": (2, 3600),
    "job_minutes": (1, 7 * 24 * 60),
    "job_memory_mib": (64, 2**20),
    "input_mib": (1, 2**20),
    "outage_minutes": (1, 24 * 60),
    "job_days": (1, 3650),
    "body_seconds": (1, 3600),
    "model_memory_mib": (1, 2**20),
    "models_kept": (1, 100),
    "processes": (1, 64),
    "log_json": (0, 1),
    "doorbell_listens_at": (0, 2**20),
    "doorbell_rings_at": (0, 2**20),
}


def _key(name: str) -> str:
    return f"STUDIO_{name.upper()}"


def _is_usable(name: str, text: str) -> bool:
    least, most = _RANGES[name]
    return text.isascii() and text.isdigit() and least <= int(text[:12]) <= most


def _problem(name: str) -> str:
    least, most = _RANGES[name]
    return f"{_key(name)} must be a whole number from {least} to {most}"
