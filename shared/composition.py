"""The composition root: settings become adapters, adapters become use cases, once for each worker process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from shared.adapters import storage_layout as layout
from shared.adapters.admissions import AdmissionTable
from shared.adapters.batch import BatchClient
from shared.adapters.blobs import BlobStore
from shared.adapters.decisions import DecisionTable
from shared.adapters.endpoints import EndpointClient
from shared.adapters.http import ServiceCaller
from shared.adapters.ledger import Ledger
from shared.adapters.models_table import ModelTable
from shared.adapters.reach import reach, version_at
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import TableStore
from shared.adapters.webhooks import WebhookSender
from shared.declarations.changed_rule import changed_rule
from shared.declarations.models_file import load_models
from shared.domain.model import Model
from shared.errors import ConfigError
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.accepting import Accepting
from shared.retraining.files.arrival import Arrival
from shared.retraining.files.asking import Asking
from shared.retraining.files.drifting import Drifting
from shared.retraining.files.explaining import Explaining
from shared.retraining.files.gathering import Gathering
from shared.retraining.files.holdout_rows import HoldoutRows
from shared.retraining.files.quarantining import Quarantine
from shared.retraining.files.scheduled import Scheduled
from shared.retraining.files.setting_aside import SettingAside
from shared.retraining.files.sweeping import Sweeping
from shared.retraining.files.training_sets import TrainingSets
from shared.retraining.files.uploaders import Uploaders
from shared.retraining.judging.evaluation import Evaluation, Stores
from shared.retraining.judging.evidence import EvidenceStore
from shared.retraining.judging.giving_up import GivingUp
from shared.retraining.judging.leakage import Leakage
from shared.retraining.judging.replaying import Replaying
from shared.retraining.judging.scoring import Scoring
from shared.retraining.judging.setbacks import Setbacks
from shared.retraining.judging.staging import Staging
from shared.retraining.promoting.approval import Approvals
from shared.retraining.promoting.deciding import Deciding
from shared.retraining.promoting.golden_rows import GoldenStore
from shared.retraining.promoting.promotion import Promotion
from shared.retraining.promoting.rollback import Rollback
from shared.retraining.showing.announcing import Announcing
from shared.retraining.showing.dashboard import Dashboard
from shared.retraining.showing.doctor import Doctor
from shared.retraining.showing.health import Health
from shared.retraining.showing.history import History
from shared.retraining.showing.notifying import Notifying
from shared.retraining.showing.recording import Recording
from shared.retraining.showing.reporting import Reporting
from shared.retraining.showing.views import Views
from shared.retraining.training.admission import Admission
from shared.retraining.training.advancing import Advancing
from shared.retraining.training.interventions import Interventions
from shared.retraining.training.polling import Polling
from shared.retraining.training.results import JobResults
from shared.retraining.training.submission import Submission
from shared.secret import Secret
from shared.settings import Settings
from shared.storage_account import fields_of
from shared.telemetry.recorder import Recorder, recorder_for

EVALUATIONS = layout.EVALUATIONS  # the queue that hands runs to evaluation

_log = logging.getLogger(__name__)
_KEY_HANDED_OVER = (
    "jobs get a key to the whole account, not a token for one blob; leave it out where the service allows"
)


@dataclass(frozen=True)
class App:
    """The use cases that the triggers call; `prepare` makes tables and containers that are not there, once."""

    training_data_source: str
    recorder: Recorder
    prepare: Callable[[], None]

    arrival: Arrival
    asking: Asking
    explaining: Explaining
    sweeping: Sweeping
    scheduled: Scheduled
    advancing: Advancing
    polling: Polling
    giving_up: GivingUp
    interventions: Interventions
    evaluation: Evaluation
    approvals: Approvals
    rollback: Rollback
    history: History
    replaying: Replaying
    reporting: Reporting
    dashboard: Dashboard
    announcing: Announcing
    health: Health
    doctor: Doctor
    deciding: Deciding
    views: Views


def compose(environment: Mapping[str, str], clock: Clock | None = None) -> App:
    """
    Build the app; opens no connection.

    Args:
        environment: App settings.
        clock: Tells the time, in UTC; the system's clock when None.

    Raises:
        ConfigError: Settings or models.toml are unusable; names every key at fault.
    """
    logging.getLogger("azure").setLevel(logging.WARNING)  # otherwise every storage call is a log line
    now = clock or _now
    settings = Settings.from_env(environment)
    models = load_models(settings.models_file, settings.environment)
    recorder = recorder_for(settings.telemetry)
    connection, caller = settings.data_storage, ServiceCaller(recorder, _hidden(settings.data_storage, models))
    blobs = BlobStore(connection, settings.keyed_handover)
    if settings.keyed_handover:
        event(_log, "storage.key_handed_over", level=logging.WARNING, setting="KEYED_HANDOVER", reason=_KEY_HANDED_OVER)
    ledger = Ledger(TableStore(connection, layout.DATASETS), recorder.file_settled)
    runs = RunTable(TableStore(connection, layout.RUNS), recorder.run_saved)
    records = ModelTable(TableStore(connection, layout.MODELS))
    decisions = DecisionTable(TableStore(connection, layout.DECISIONS), records)

    def batch(model: Model) -> BatchClient:
        return BatchClient(caller, model.training)

    @cache
    def endpoint(model_name: str, role: str) -> EndpointClient:
        model = models[model_name]
        declared = model.live if role == "live" else model.staging
        if declared is None:
            raise ConfigError(settings.models_file.name, [f"models.{model_name}.scoring.{role}: is missing"])
        return EndpointClient(caller, declared, role)

    def endpoint_of(model: Model, role: str) -> EndpointClient:
        return endpoint(model.name, role)

    admission = Admission(AdmissionTable(TableStore(connection, layout.MODELS)), runs, now)
    submission = Submission(runs, blobs, batch, now)
    setting_aside = SettingAside(ledger, blobs, now)
    advancing = Advancing(models, runs, records, batch, admission, submission, setting_aside, now)
    results = JobResults(batch, blobs, caller, now)
    golden_rows = GoldenStore(blobs)
    promotion = Promotion(runs, decisions, blobs, golden_rows, results, endpoint_of, now)
    evidence = EvidenceStore(blobs)
    scoring = Scoring(blobs, results, promotion, evidence, Staging(), Leakage(blobs, runs))
    uploaders = Uploaders(ledger, blobs)
    rollback = Rollback(models, runs, records, decisions, promotion, golden_rows, uploaders, now)
    stores = Stores(runs, records, decisions, blobs, golden_rows, caller)
    drifting = Drifting(blobs, runs, records, now)
    reporting = Reporting(models, runs, records, ledger, blobs, evidence, drifting, version_at, now)
    approvals = Approvals(models, runs, records, uploaders, settings.approval_secret, now)
    deciding = Deciding(models, approvals, reporting, settings.app_url)
    notifying = Notifying(models, WebhookSender(), settings.app_url, deciding.link, now)
    holdouts = HoldoutRows(blobs)
    training_sets = TrainingSets(blobs, holdouts)
    quarantine = Quarantine(blobs, ledger, now)
    gathering = Gathering(blobs, ledger, runs, training_sets, quarantine, now)
    accepting = Accepting(ledger, runs, training_sets, quarantine, now)
    arrival = Arrival(models, blobs, ledger, holdouts, accepting, quarantine, gathering, advancing, now)
    asking = Asking(models, blobs, ledger, runs, arrival, gathering, advancing, now)
    return App(
        training_data_source=settings.training_data_source,
        recorder=recorder,
        prepare=cache(lambda: layout.create_storage(connection)),
        arrival=arrival,
        asking=asking,
        explaining=Explaining(blobs, ledger, runs, arrival, asking, gathering, now),
        sweeping=Sweeping(models, blobs, ledger, arrival, gathering, now),
        scheduled=Scheduled(models, records, gathering, drifting, advancing, now),
        advancing=advancing,
        polling=Polling(models, runs, advancing, now, recorder),
        giving_up=GivingUp(runs, decisions, now),
        interventions=Interventions(models, runs, ledger, blobs, advancing, now),
        evaluation=Evaluation(models, stores, results, promotion, scoring, rollback, Setbacks(models, runs, now), now),
        approvals=approvals,
        rollback=rollback,
        replaying=Replaying(models, runs, evidence, changed_rule),
        history=History(models, runs, records, decisions, now),
        reporting=reporting,
        dashboard=Dashboard(models, runs, records, ledger, decisions, now),
        announcing=Announcing(
            runs,
            {"decision": Recording(decisions).record, "report": reporting.write, "notify": notifying.tell},
            now,
        ),
        health=Health(models, blobs, reach, now),
        doctor=Doctor(models, blobs, batch, endpoint_of, reach, now),
        views=Views(models, ledger, runs),
        deciding=deciding,
    )


def _hidden(storage: Secret, models: Mapping[str, Model]) -> set[Secret]:
    """Return what no service may be quoted with: the account's key and every service's."""
    endpoints = [end for model in models.values() for end in (model.live, model.staging) if end]
    keys = [model.training.key for model in models.values()] + [endpoint.key for endpoint in endpoints]
    return {Secret(fields_of(storage).get("accountkey", "")), *keys}


def _now() -> datetime:
    return datetime.now(UTC)
