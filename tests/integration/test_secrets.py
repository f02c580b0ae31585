"""
Recognisable secrets, planted everywhere they can be, through a loop of failures: no log line, table, blob, report or
HTTP answer may hold one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from census_rows import people
from classic_service import Faults
from receiver import Receiver
from retraining_world import World

from shared.api import register
from shared.composition import compose

LEAK = "cGxhbnRlZC1zaWduYXR1cmU="  # what a token's signature or an account's key looks like
WORDS = (
    f"wrote to https://blobs.example/c/b.csv?sv=2020&se=2030-01-01&sig={LEAK}&sp=r with "
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={LEAK};EndpointSuffix=core.windows.net and "
    f"SharedAccessSignature=sv=2020&sig={LEAK} as Bearer {LEAK}, "
    "keys planted-jobs-key, planted-live-key, planted-staging-key"
)
WRITTEN_BY_SERVICES = ("/published.ilearner", "/metrics.csv")  # straight into storage: not the app's words
APPROVAL_SECRET, NOTIFY_SECRET = "planted-approval-secret-of-length", "planted-webhook-secret"
CHANNEL = "with-a-secret-path"  # of the receiver: who knows a webhook's address may write to its channel
PLANTED = (
    *(LEAK, "planted-jobs-key", "planted-live-key", "planted-staging-key"),
    *(APPROVAL_SECRET, NOTIFY_SECRET, CHANNEL),
)
MODELS = (Path(__file__).parents[2] / "models.toml").read_text()
NOTIFY = '[models.census.notify]\nurl = "%NOTIFY_URL%"\nsecret = "%NOTIFY_SECRET%"\n'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def tell(world: World, receiver: Receiver, folder: Path, *, ask: str) -> None:
    """Have the world tell a webhook of its runs, with links that decide."""
    approval = f'[models.census.approval]\nask = "{ask}"\n'
    (folder / "models.toml").write_text(f"{MODELS}\n{approval}{NOTIFY}")
    world.environment |= {
        "MODELS_FILE": str(folder / "models.toml"),
        "NOTIFY_URL": receiver.url,
        "NOTIFY_SECRET": NOTIFY_SECRET,
        "APP_URL": "https://app.example",
        "APPROVAL_SECRET": APPROVAL_SECRET,
    }
    world.app = compose(world.environment, world.clock)
    world.app.evaluation._scoring._staging._settle = world.app.evaluation._promotion._deadline = timedelta(seconds=1)


def account_key(world: World) -> str:
    return world.storage.reveal().partition("AccountKey=")[2].partition(";")[0]


def everything_kept(world: World) -> dict[str, str]:
    """Every row and every blob that the app wrote, as texts by place."""
    kept: dict[str, str] = {}
    with TableServiceClient.from_connection_string(world.storage.reveal()) as tables:
        for table in tables.list_tables():
            rows = [dict(row) for row in tables.get_table_client(table.name).list_entities()]
            kept[f"table {table.name}"] = json.dumps(rows, default=str)
    with BlobServiceClient.from_connection_string(world.storage.reveal()) as blobs:
        for container in blobs.list_containers():
            client = blobs.get_container_client(container.name)
            for name in client.list_blob_names():
                kept[f"blob {container.name}/{name}"] = client.download_blob(name).readall().decode("utf-8", "replace")
    return kept


def answers(world: World) -> dict[str, str]:
    """What every HTTP function that reads answers, by function."""
    app = func.FunctionApp()
    register(app, world.app)
    given: dict[str, str] = {}
    runs = [run["id"] for run in world.app.views.runs(None)["runs"]]
    for function in app.get_functions():
        handler: Callable[..., Any] = function.get_user_function()
        trigger = function.get_trigger()
        if trigger is None or trigger.get_binding_name() != "httpTrigger" or "POST" in str(trigger.get_dict_repr()):
            continue
        for run in runs or ["none"]:
            route = {"id": run, "model": "census", "name": "a.csv", "path": "census/a.csv"}
            request = func.HttpRequest(method="GET", url="http://app/api", params={}, route_params=route, body=b"")
            response = handler(request)
            given[f"{function.get_function_name()} {run}"] = response.get_body().decode("utf-8", "replace")
    return given


FAILURES: dict[str, Callable[[World], None]] = {
    "a job that fails": lambda world: setattr(world.service, "faults", Faults(job_status="Failed", details=WORDS)),
    "a refused submit": lambda world: setattr(world.service.faults, "refused_submits", 1),
    "a service away": lambda world: setattr(world.service.faults, "unavailable", 3),
    "a refused update": lambda world: setattr(world.service.faults, "refused_updates", 1),
    "an update that lies": lambda world: setattr(world.service.faults, "lying_updates", 1),
    "metrics that are none": lambda world: setattr(world.service.faults, "metrics", WORDS),
    "a webhook that refuses": lambda world: None,
    "nothing": lambda world: None,
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_planted_secret_is_found_anywhere(
    world: World,
    failure: str,
    receiver: Receiver,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG, logger="shared")
    caplog.set_level(logging.INFO)
    world.service.words = WORDS
    refuses = failure == "a webhook that refuses"
    tell(world, receiver, tmp_path, ask="always" if refuses else "never")
    receiver.statuses = [403] if refuses else []
    FAILURES[failure](world)

    world.drop("a.csv", people(600))
    for _ in range(3):
        world.tick()
        world.pass_time(minutes=1)
    for wish in (world.app.interventions.cancel, world.app.interventions.retry):
        try:
            wish(world.run()["id"], "ann", "to see what is said")
        except Exception as refused:
            logging.getLogger("shared.test").warning("%s", refused)
    world.app.announcing.announce_due()

    found = everything_kept(world) | answers(world)
    found["log"] = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    out = capfd.readouterr()
    found["console"] = out.out + out.err
    found["webhook"] = b"\n".join(receiver.bodies).decode()
    assert CHANNEL in receiver.url
    assert found["webhook"]
    assert len(found["log"]) > 100
    assert any(place.startswith("list_runs") for place in found)
    for secret in (*PLANTED, account_key(world)):
        places = [place for place, text in found.items() if secret in text and not place.endswith(WRITTEN_BY_SERVICES)]
        assert places == [], f"{secret} in {places}: {[found[place][:3000] for place in places]}"
    for place, text in found.items():
        if place.endswith(WRITTEN_BY_SERVICES):
            continue
        assert "sig=" not in text.replace("\\", "").replace("sig=****", ""), place


@pytest.mark.parametrize("is_keyed", [False, True])
def test_a_job_gets_an_account_key_only_where_a_setting_says_so_and_each_start_warns(
    world: World, caplog: pytest.LogCaptureFixture, is_keyed: bool
) -> None:
    if is_keyed:
        world.environment |= {"KEYED_HANDOVER": world.storage.reveal()}
    world.app = compose(world.environment, world.clock)
    world.service.faults.job_status = "Running"

    world.drop("a.csv", people(600))
    world.tick()

    (job,) = world.service.jobs.values()
    references = [*job.inputs.values(), *job.outputs.values()]
    assert {reference.get("ConnectionString") for reference in references} == {
        world.storage.reveal() if is_keyed else None
    }
    assert [bool(reference.get("SasBlobToken")) for reference in references] == [not is_keyed] * 3
    assert ("storage.key_handed_over" in caplog.text) is is_keyed
    assert account_key(world) not in caplog.text
