"""
Reads `models.toml` into `Model` records; every problem is reported at once, by key and reason.

`%NAME%` stands for the app setting NAME. Keys must be written that way: a key in the file itself is refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.domain import schedule
from shared.domain.contract import Column, Contract, Kind
from shared.domain.gate import GateRule
from shared.domain.metrics import KNOWN
from shared.domain.model import Model, ScoringEndpoint, TrainingService
from shared.domain.paired import MEASURES
from shared.domain.runs import Policy
from shared.errors import ConfigError
from shared.secret import Secret
from shared.wire import MODEL_EXTENSION

_SETTING = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OUTPUTS = {"output1": MODEL_EXTENSION, "output2": ".csv"}
_T = TypeVar("_T")


def load_models(path: Path, environment: Mapping[str, str]) -> dict[str, Model]:
    """
    Read the declared models, by name.

    Raises:
        ConfigError: Names every key at fault.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as unreadable:
        raise ConfigError(path.name, [f"is no TOML: {unreadable}"]) from unreadable
    problems: list[str] = []
    root = _Section("", document, environment, problems)
    defaults = root.table("defaults", {})
    models = {name: _read_model(name, root.entry("models", defaults, name)) for name in root.table("models", None)}
    root.close()
    problems += _shared_folders(models)
    if not models and not problems:
        problems.append("models: declare at least one, as [models.NAME]")
    if problems:
        raise ConfigError(path.name, problems)
    return models


class _Section:
    """One table of the file: takes values by key and type, and notes what is wrong with them."""

    def __init__(self, at: str, values: Mapping[str, Any], environment: Mapping[str, str], problems: list[str]):
        self.at, self._values, self._environment, self._problems = at, values, environment, problems
        self._taken: set[str] = set()

    def key(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def wrong(self, name: str, reason: str) -> None:
        self._problems.append(f"{self.key(name)}: {reason}")

    def take(self, name: str, kind: type[_T] | tuple[type[_T], ...], default: _T | None) -> _T:
        """Take a value; a missing one without a default is a problem."""
        self._taken.add(name)
        value = self._values.get(name)
        if value is None:
            if default is None:
                self.wrong(name, "is missing")
            return default  # type: ignore[return-value]  # the problem just noted ends the load
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.wrong(
                name, f"expected {' or '.join(_WORDS[k] for k in kinds)}, got {_WORDS.get(type(value), 'a value')}"
            )
            return default  # type: ignore[return-value]
        return value

    def number(self, name: str, default: float | None, low: float = -1e308, high: float = 1e308) -> float:
        value = float(self.take(name, (int, float), default) or 0.0)
        if not low <= value <= high:
            self.wrong(name, f"expected a number from {low:g} to {high:g}, got {value:g}")
        return value

    def table(self, name: str, default: dict[str, Any] | None) -> dict[str, Any]:
        return self.take(name, dict, default) or {}

    def section(self, name: str, default: dict[str, Any] | None = None) -> _Section:
        """Open a table below this one; where it is missing altogether, that one problem says enough."""
        values = self.table(name, default)
        silent = default is None and name not in self._values
        return _Section(self.key(name), values, self._environment, [] if silent else self._problems)

    def entry(self, table: str, defaults: Mapping[str, Any], name: str) -> _Section:
        """Open one entry of a table of sections, laid over the defaults."""
        values = self.table(table, None)[name]
        if not isinstance(values, dict):
            self.wrong(f"{table}.{name}", "expected a section")
        merged = _merged(defaults, values if isinstance(values, dict) else {})
        return _Section(self.key(f"{table}.{name}"), merged, self._environment, self._problems)

    def text(self, name: str, default: str | None = None, *, resolved: bool = False) -> str:
        """Take a text; only where `resolved`, for addresses and keys, do its `%NAME%` references mean settings."""
        written = self.take(name, str, default) or ""
        if not resolved:
            return written
        for setting in _SETTING.findall(written):
            if not self._environment.get(setting):
                self.wrong(name, f"refers to the app setting {setting}, which is not set")
        return _SETTING.sub(lambda found: self._environment.get(found[1], ""), written)

    def secret(self, name: str) -> Secret:
        written = self.take(name, str, None) or ""
        if written and not _SETTING.fullmatch(written):
            self.wrong(name, "holds a secret; write '%NAME%' and put the secret into the app setting NAME")
            return Secret("")
        return Secret(self.text(name, resolved=True)) if written else Secret("")

    def url(self, name: str) -> str:
        address = self.text(name, resolved=True)
        try:
            parts = urlsplit(address)
        except ValueError as unreadable:
            self.wrong(name, f"is no address: {unreadable}")
            return ""
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if address and not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            self.wrong(name, "expected an https address (http only on this machine)")
        return address.rstrip("/")

    def close(self) -> None:
        """Note keys that nobody took: most are misspelt."""
        for name in self._values.keys() - self._taken:
            self.wrong(name, f"is not known here; known are {', '.join(sorted(self._taken))}")


_WORDS: dict[type, str] = {
    str: "a text", int: "an integer", float: "a number", bool: "a boolean", dict: "a section", list: "a list",
}  # fmt: skip


def _read_model(name: str, section: _Section) -> Model:
    if not _NAME.fullmatch(name):
        section.wrong("name", f"'{name}': a model's name holds lower-case letters, digits and dashes, at most 63")
    contract, positive = _read_contract(section.section("contract"))
    scoring = section.section("scoring")
    model = Model(
        name=name,
        folder=section.text("folder", name),
        contract=contract,
        training=_read_training(section.section("training")),
        live=_read_endpoint(scoring.section("live")),
        staging=_read_endpoint(scoring.section("staging")),
        resource=scoring.text("resource"),
        positive=positive,
        gate=_read_gate(section),
        holdout=section.text("holdout", ""),
        schedule=section.text("schedule", ""),
        policy=_read_policy(section.section("budgets", {})),
    )
    scoring.close()
    if model.schedule and (problem := schedule.problem_with(model.schedule)):
        section.wrong("schedule", f"'{model.schedule}' {problem}")
    if "/" in model.folder or not model.folder.strip():
        section.wrong("folder", "names one folder below training-data, without '/'")
    if model.live.url and model.live.url == model.staging.url:
        section.wrong("scoring.staging.url", "is the live endpoint; the gate needs a second one to try challengers on")
    section.close()
    return model


def _read_contract(section: _Section) -> tuple[Contract, str]:
    label = section.text("label")
    columns = tuple(_read_column(section, n, spec) for n, spec in section.table("columns", None).items())
    names = [column.name for column in columns]
    if label and columns and label not in names:
        section.wrong("label", f"'{label}' is none of the columns {', '.join(names)}")
    positive = section.text("positive")
    values = next((column.values for column in columns if column.name == label), frozenset())
    if positive and values and positive not in values:
        section.wrong("positive", f"'{positive}' is none of the label's values {', '.join(sorted(values))}")
    missing = section.take("missing", list, ["", "?"])
    if not all(isinstance(text, str) for text in missing):
        section.wrong("missing", "expected a list of texts")
    contract = Contract(columns, label, int(section.number("min_rows", 1, 1)), frozenset(map(str, missing)))
    section.close()
    return contract, positive


def _read_column(section: _Section, name: str, spec: object) -> Column:
    fields = {"kind": spec} if isinstance(spec, str) else spec
    at = f"columns.{name}"
    kinds = [kind.value for kind in Kind]
    if not isinstance(fields, dict) or fields.get("kind") not in kinds:
        section.wrong(at, f"expected one of {', '.join(kinds)}, or {{ kind = …, values = […], required = … }}")
        return Column(name, Kind.CATEGORY)
    for extra in fields.keys() - {"kind", "values", "required"}:
        section.wrong(f"{at}.{extra}", "is not known here; known are kind, required, values")
    if not isinstance(fields.get("required", False), bool):
        section.wrong(f"{at}.required", "expected true or false")
    values = fields.get("values", [])
    if not isinstance(values, list):
        section.wrong(f"{at}.values", "expected a list of texts")
        values = []
    return Column(name, Kind(fields["kind"]), frozenset(map(str, values)), bool(fields.get("required", False)))


def _read_training(section: _Section) -> TrainingService:
    outputs = section.table("outputs", dict(_OUTPUTS))
    if sorted(map(str, outputs.values())) != sorted(_OUTPUTS.values()):
        section.wrong("outputs", f"name one port for '{MODEL_EXTENSION}' and one for '.csv', got {outputs}")
    service = TrainingService(
        jobs_url=section.url("jobs_url"),
        key=section.secret("key"),
        input=section.text("input", "input1"),
        outputs={str(port): str(extension) for port, extension in outputs.items()},
        parameters={str(k): str(v) for k, v in section.table("parameters", {}).items()},
    )
    if service.jobs_url and not service.jobs_url.endswith("/jobs"):
        section.wrong("jobs_url", "is the address of the training service's jobs and ends in '/jobs'")
    section.close()
    return service


def _read_endpoint(section: _Section) -> ScoringEndpoint:
    endpoint = ScoringEndpoint(section.url("url"), section.secret("key"))
    name = endpoint.url.rpartition("/endpoints/")[2]
    if endpoint.url and (not name or name == endpoint.url):
        section.wrong("url", "is a management address and ends in '/webservices/{service}/endpoints/{name}'")
    if name == "default":
        section.wrong("url", "names the default endpoint, which cannot be updated; add another endpoint and name that")
    section.close()
    return endpoint


def _read_gate(section: _Section) -> GateRule | None:
    if section.take("gate", (dict, str), None) == "none":
        return None
    if not isinstance(section._values.get("gate"), dict):
        section.wrong("gate", 'expected a section, or gate = "none" to promote whatever was trained')
        return None
    gate = section.section("gate")
    rule = GateRule(
        metric=gate.text("metric", "AUC"),
        margin=gate.number("margin", 0.01, 0),
        min_gain=gate.number("min_gain", 0.0),
        floors={str(k): gate.section("floors").number(str(k), None) for k in gate.table("floors", {})},
        confidence=gate.number("confidence", 0.95, 0.5, 0.9999),
        replicates=int(gate.number("replicates", 1000, 100, 100_000)),
        seed=int(gate.number("seed", GateRule.seed, 0)),
    )
    if rule.metric not in MEASURES:
        gate.wrong(
            "metric", f"'{rule.metric}' cannot be measured on a holdout; known are {', '.join(sorted(MEASURES))}"
        )
    for name in rule.floors.keys() - KNOWN:
        gate.wrong(f"floors.{name}", f"is no metric of output2; known are {', '.join(sorted(KNOWN))}")
    gate.close()
    return rule


def _read_policy(section: _Section) -> Policy:
    plain = Policy()
    policy = Policy(
        training_budget=timedelta(
            minutes=section.number("training_min", plain.training_budget / _MINUTE, 0.01, _YEAR_MIN)
        ),
        evaluation_budget=timedelta(
            minutes=section.number("evaluation_min", plain.evaluation_budget / _MINUTE, 0.01, _YEAR_MIN)
        ),
    )
    section.close()
    return policy


_MINUTE = timedelta(minutes=1)
_YEAR_MIN = 525_600


def _merged(defaults: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a model's section over the defaults, table by table."""
    merged = dict(defaults)
    for key, value in section.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _shared_folders(models: Mapping[str, Model]) -> list[str]:
    owners: dict[str, str] = {}
    return [
        f"models.{model.name}.folder: '{model.folder}' already belongs to models.{owners[model.folder]}"
        for model in models.values()
        if owners.setdefault(model.folder, model.name) != model.name
    ]
