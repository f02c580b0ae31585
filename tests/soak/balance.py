"""The balance at the end: every file accounted for, nothing trained twice, every champion served."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.adapters.decisions import DecisionTable
from shared.adapters.models_table import ModelTable
from shared.adapters.storage_layout import DECISIONS, MODELS
from shared.adapters.tables import TableStore
from shared.domain.data.dataset import dataset_key
from shared.domain.deciding.decision import PLACING, problems_of
from shared.domain.lifecycle.runs import RunState
from shared.secret import Secret

_SETTLED = {"DUPLICATE", "QUARANTINED", "REPLACED"}


@dataclass
class Balance:
    """
    What became of everything.

    Attributes:
        files: Dropped; `datasets` and `runs` count them by state.
        lost: Files without a final state, by name and why.
        doubled: Training files whose bytes were started more than once, and runs promoted more than once.
        wrong: Models whose champion is not what their live endpoint serves.
        broken: What is wrong with the chains of decisions, and promotions that are in none.
    """

    files: int = 0
    datasets: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    trained: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """Everything that does not balance, in words."""
        return [*self.lost, *self.doubled, *self.wrong, *self.broken]

    @property
    def holds(self) -> bool:
        """Whether the ledger balances exactly."""
        return not self.troubles


def open_runs(connection: str) -> int:
    """Count the runs under way: cheap, and enough to keep the stream of files steady."""
    with TableServiceClient.from_connection_string(connection) as tables:
        return sum(1 for _ in tables.get_table_client("runs").query_entities("is_open eq true", select=["RowKey"]))


def open_work(connection: str) -> int:
    """Count the files that have no final state yet."""
    balance = Balance()
    with TableServiceClient.from_connection_string(connection) as tables:
        _count_files(balance, connection, _rows(tables, "datasets"), _rows(tables, "runs"))
    return len(balance.lost)


def take(connection: str, stats: dict[str, Any]) -> Balance:
    """Compare container, ledger, runs, decisions, champions, and what the service says that it did."""
    balance = Balance()
    with TableServiceClient.from_connection_string(connection) as tables:
        datasets, runs, decisions, models = (
            _rows(tables, name) for name in ("datasets", "runs", "decisions", "models")
        )
    _count_files(balance, connection, datasets, runs)
    balance.runs = Counter(run["state"] for run in runs)
    balance.trained = len(stats["starts"])
    _count_doubles(balance, connection, stats["starts"], decisions)
    records = [row for row in models if row["PartitionKey"] == "model"]
    _compare_champions(balance, connection, records, stats["served"])
    _verify_chains(balance, connection, runs, decisions)
    return balance


def _rows(tables: TableServiceClient, name: str) -> list[dict[str, Any]]:
    return [dict(entity) for entity in tables.get_table_client(name).list_entities()]


def _count_files(balance: Balance, connection: str, datasets: list[dict[str, Any]], runs: list[dict[str, Any]]) -> None:
    ledger = {row["RowKey"].removeprefix("file:"): row for row in datasets if row["RowKey"].startswith("file:")}
    states = {run["RowKey"]: run["state"] for run in runs}
    with BlobServiceClient.from_connection_string(connection) as blobs:
        for blob in blobs.get_container_client("training-data").list_blobs():
            balance.files += 1
            row = ledger.get(dataset_key("training-data", blob.name, blob.etag.strip('"')))
            state = row["state"] if row else "unknown to the ledger"
            balance.datasets[state] += 1
            run_state = states.get(row["run_id"]) if row else None
            if state in _SETTLED or (state == "ACCEPTED" and run_state and RunState(run_state).is_final):
                continue
            balance.lost.append(f"{blob.name}: {state}, run {run_state}")


def _count_doubles(balance: Balance, connection: str, starts: list[str], decisions: list[dict[str, Any]]) -> None:
    with BlobServiceClient.from_connection_string(connection) as blobs:
        training_data = blobs.get_container_client("training-data")
        trained: Counter[str] = Counter()
        for location in starts:
            name = location.partition("/")[2]
            data = training_data.download_blob(name).readall()
            trained[f"{name.partition('/')[0]} {hashlib.sha256(data).hexdigest()}"] += 1
    balance.doubled += [f"trained {count} times: {what}" for what, count in trained.items() if count > 1]
    promoted = Counter(row["run_id"] for row in decisions if row["outcome"] == "PROMOTED")
    balance.doubled += [f"promoted {count} times: {run}" for run, count in promoted.items() if count > 1]


def _verify_chains(
    balance: Balance, connection: str, runs: list[dict[str, Any]], decisions: list[dict[str, Any]]
) -> None:
    storage = Secret(connection)
    chains = DecisionTable(TableStore(storage, DECISIONS), ModelTable(TableStore(storage, MODELS)))
    for model in sorted({row["PartitionKey"] for row in decisions}):
        balance.broken += [f"{model}: {problem}" for problem in problems_of(chains.chain(model), chains.head(model))]
    promoted = {run["RowKey"] for run in runs if run["state"] == RunState.PROMOTED.value}
    decided = {row["run_id"] for row in decisions if row["outcome"] in PLACING}
    balance.broken += [f"{run}: promoted without a decision" for run in sorted(promoted - decided)]
    balance.broken += [f"{run}: decided as promoted, and it is not" for run in sorted(decided - promoted)]


def _compare_champions(balance: Balance, connection: str, models: list[dict[str, Any]], served: dict[str, str]) -> None:
    with BlobServiceClient.from_connection_string(connection) as blobs:
        for model in models:
            champion = json.loads(model["champion"]) if model.get("champion") else None
            if champion is None or (champion["run_id"] == "initial" and f"{model['RowKey']}/live" not in served):
                continue
            container, _, name = champion["artifact"].partition("/")
            kept = blobs.get_blob_client(container, name).download_blob().readall().decode()
            if served.get(f"{model['RowKey']}/live") != kept:
                balance.wrong.append(f"{model['RowKey']}: {champion['run_id']} is {kept}, live serves {served}")
