"""What `models.toml` declares of a model: its folder, contract, services, and gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from shared.domain.data.contract import Contract
from shared.domain.data.drift import DriftRule
from shared.domain.data.waiting import Arriving, Batching
from shared.domain.deciding.approval import Approval
from shared.domain.gate import GateRule
from shared.domain.lifecycle.budgets import Policy
from shared.domain.lifecycle.limits import Limits
from shared.domain.lifecycle.notification import Notify
from shared.domain.task import Task
from shared.secret import Secret


@dataclass(frozen=True)
class Price:
    """What an hour of training costs, in units of `currency`."""

    per_hour: float
    currency: str


@dataclass(frozen=True)
class Costs:
    """What a row costs by what it is and what is said of it, in any `unit`; what it earns is negative."""

    false_positive: float
    false_negative: float
    true_positive: float = 0.0
    true_negative: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class TrainingService:
    """
    Where jobs are submitted.

    Attributes:
        jobs_url: `…/services/{endpoint}/jobs`.
        input: Port that takes the training file.
        outputs: Port → the extension it writes (`.ilearner` or `.csv`).
        parameters: Web service parameters sent with every job.
        price: None where models.toml declares none.
    """

    jobs_url: str
    key: Secret
    input: str = "input1"
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    price: Price | None = None


@dataclass(frozen=True)
class ScoringEndpoint:
    """A scoring endpoint's management address and its own key."""

    url: str
    key: Secret

    @property
    def name(self) -> str:
        """The endpoint's name: the last part of its address."""
        return unquote(urlsplit(self.url).path.rstrip("/").rpartition("/")[2])


@dataclass(frozen=True)
class Model:
    """
    One model that follows its data.

    Attributes:
        folder: First path segment below `training-data`.
        resource: Name of the trained model that a PATCH replaces.
        staging: A second endpoint, to try challengers on; None means that decisions are UNPAIRED.
        holdout: Labelled rows, a path below `holdouts`; empty means that decisions are UNPAIRED.
        positive: The label's positive class; empty unless the task is two-class.
        schedule: NCRONTAB; accepted files wait for it.
        batching: Accepted files wait for a window to close. Without it and a schedule, each starts a run of its own.
        arriving: How files are taken in.
        drift: When files unlike the champion's data end the wait of those that wait; None for never.
        approval: When a person is asked before a promotion.
        costs: Of right and wrong answers, for the report; None where models.toml declares none, and unless two-class.
        notify: Whom to tell of its runs; None tells nobody.
        gate: None only where models.toml says `gate = "none"`.
    """

    name: str
    folder: str
    contract: Contract
    training: TrainingService
    live: ScoringEndpoint
    staging: ScoringEndpoint | None
    resource: str
    positive: str
    gate: GateRule | None
    task: Task = Task.TWO_CLASS
    holdout: str = ""
    schedule: str = ""
    batching: Batching | None = None
    arriving: Arriving = field(default_factory=Arriving)
    drift: DriftRule | None = None
    approval: Approval = field(default_factory=Approval)
    policy: Policy = field(default_factory=Policy)
    notify: Notify | None = None
    costs: Costs | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def unpaired_because(self) -> str:
        """Why its challengers are not compared with the champion on the same rows; empty where they are."""
        if self.gate is None:
            return 'gate = "none"'
        return "no holdout" if not self.holdout else "no staging endpoint" if self.staging is None else ""

    @property
    def is_patient(self) -> bool:
        """Whether accepted files wait for each other."""
        return bool(self.schedule) or self.batching is not None

    @property
    def endpoints(self) -> dict[str, ScoringEndpoint]:
        """The scoring endpoints that are declared, by role."""
        return {"live": self.live} | ({"staging": self.staging} if self.staging else {})

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its services are asked."""
        return (self.training.jobs_url, *(endpoint.url for endpoint in self.endpoints.values()))
