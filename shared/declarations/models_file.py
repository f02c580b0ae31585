"""Reads `models.toml` into `Model` records."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from shared.declarations.approval_section import read_approval
from shared.declarations.arriving_sections import read_arriving, read_batching
from shared.declarations.budgets_section import read_policy
from shared.declarations.contract_file import contract_file_of, contract_section
from shared.declarations.contract_section import read_contract
from shared.declarations.costs_section import read_costs
from shared.declarations.drift_section import read_drift
from shared.declarations.gate_section import read_gate
from shared.declarations.limits_section import read_limits
from shared.declarations.notify_section import read_notify
from shared.declarations.section import Section
from shared.declarations.service_sections import read_endpoint, read_training
from shared.domain.lifecycle import schedule
from shared.domain.model import Model
from shared.domain.task import Task
from shared.errors import ConfigError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


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
    root = Section("", document, environment, problems)
    defaults = root.table("defaults", {})
    models = {
        name: _read_model(name, root.entry("models", defaults, name), path.parent)
        for name in root.table("models", None)
    }
    root.close()
    problems += _shared_folders(models)
    if not models and not problems:
        problems.append("models: declare at least one, as [models.NAME]")
    if problems:
        raise ConfigError(path.name, problems)
    return models


def _read_model(name: str, section: Section, folder: Path) -> Model:
    if not _NAME.fullmatch(name):
        section.wrong("name", f"'{name}': a model's name holds lower-case letters, digits and dashes, at most 63")
    task = Task(section.choice("task", (task.value for task in Task), Task.TWO_CLASS.value))
    contract = read_contract(contract_section(section, contract_file_of(name), folder), task)
    scoring = section.section("scoring")
    model = Model(
        name=name,
        folder=section.text("folder", name),
        contract=contract,
        training=read_training(section.section("training")),
        live=read_endpoint(scoring.section("live")),
        staging=read_endpoint(scoring.section("staging")) if scoring.holds("staging") else None,
        resource=scoring.text("resource"),
        positive=contract.positive,
        task=task,
        gate=read_gate(section, task),
        holdout=section.text("holdout", ""),
        schedule=section.text("schedule", ""),
        drift=read_drift(section, contract),
        approval=read_approval(section.section("approval", {})),
        batching=read_batching(section),
        arriving=read_arriving(section.section("arriving", {})),
        policy=read_policy(section.section("budgets", {})),
        notify=read_notify(section),
        costs=read_costs(section, task),
        limits=read_limits(section.section("limits", {})),
    )
    scoring.close()
    if model.schedule and (problem := schedule.problem_with(model.schedule)):
        section.wrong("schedule", f"'{model.schedule}' {problem}")
    if "/" in model.folder or not model.folder.strip():
        section.wrong("folder", "names one folder below training-data, without '/'")
    if model.staging and model.live.url and model.live.url == model.staging.url:
        section.wrong("scoring.staging.url", "is the live endpoint; the gate needs a second one to try challengers on")
    if model.drift and not model.is_patient:
        section.wrong("drift", "ends a wait; without a `schedule` or `batching` each file starts a run at once")
    section.close()
    return model


def _shared_folders(models: Mapping[str, Model]) -> list[str]:
    owners: dict[str, str] = {}
    return [
        f"models.{model.name}.folder: '{model.folder}' already belongs to models.{owners[model.folder]}"
        for model in models.values()
        if owners.setdefault(model.folder, model.name) != model.name
    ]
