"""Publishing: what one publication makes, what a second one keeps, and what is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from exchanges import DATA, people, wait_for

from shared.errors import ConfigError
from shared.secret import Secret
from studio.batch.training_slot import TrainingSlots
from studio.bootstrap import Service, assemble
from studio.commands.publication_table import as_table
from studio.commands.publish import publish
from studio.engine.errors import ExperimentError, ModuleError
from studio.services.addresses import Addresses
from studio.services.catalog import Kind
from studio.services.keys import VaultError
from studio.settings import Settings

DECLARATION = DATA / "income.toml"
ADDRESSES = Addresses("http://studio.example")


def test_a_publication_makes_two_services_and_the_endpoints_asked_for(service: Service, early_file: Path) -> None:
    publication = publish(service, DECLARATION, early_file, ["live", "staging"])

    catalog = service.catalog.read()
    assert {(s.name, s.kind, s.resource) for s in catalog.services.values()} == {
        ("Income: who earns more?", Kind.TRAINING, ""),
        ("Income: who earns more? [Predictive Exp.]", Kind.PREDICTIVE, "Income who earns more [trained model]"),
    }
    assert [e.name for e in catalog.endpoints_of(publication.training.id)] == ["default"]
    assert {e.name for e in catalog.endpoints_of(publication.predictive.id)} == {"default", "live", "staging"}


def test_publishing_again_keeps_ids_keys_and_the_models_of_other_endpoints(
    service: Service, early_file: Path, tmp_path: Path
) -> None:
    publish(service, DECLARATION, early_file, ["live"])
    before = service.catalog.read()
    later_file = people(tmp_path / "later.csv", 500, seed=5)

    publish(service, DECLARATION, later_file, ["live", "staging"])

    after = service.catalog.read()
    old, new = ({e.name: e for e in c.endpoints.values() if e.model} for c in (before, after))
    assert set(before.services) == set(after.services)
    assert [(old[n].id, old[n].primary_key) for n in old] == [(new[n].id, new[n].primary_key) for n in old]
    assert new["live"].model == old["live"].model
    assert new["default"].model == new["staging"].model != old["default"].model


def test_publishing_the_same_twice_changes_no_model(service: Service, early_file: Path) -> None:
    first = publish(service, DECLARATION, early_file, ["live"])
    second = publish(service, DECLARATION, early_file, ["live"])

    assert {e.name: e.model for e in first.endpoints} == {e.name: e.model for e in second.endpoints}


def test_the_first_publication_draws_the_workspace_and_later_ones_keep_it(settings: Settings, early_file: Path) -> None:
    unnamed = Settings(**{**vars(settings), "workspace": None})
    first, second = assemble(unnamed), assemble(unnamed)

    workspaces = {publish(service, DECLARATION, early_file, []).training.workspace for service in (first, second)}

    assert len(workspaces) == 1
    assert len(workspaces.pop()) == 32


def test_everything_survives_a_restart(service: Service, early_file: Path) -> None:
    publish(service, DECLARATION, early_file, ["live"])

    restarted = assemble(service.settings)

    assert restarted.catalog.read() == service.catalog.read()


def test_another_secret_opens_nothing_and_says_what_is_wrong(service: Service, early_file: Path) -> None:
    publish(service, DECLARATION, early_file, [])
    other = Settings(**{**vars(service.settings), "secret": Secret("b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q=")})

    with pytest.raises(VaultError, match="another STUDIO_SECRET"):
        assemble(other).catalog.read()


def test_the_json_holds_what_a_client_needs(service: Service, early_file: Path) -> None:
    publication = publish(service, DECLARATION, early_file, ["live"])

    body = json.loads(json.dumps(publication.to_json(ADDRESSES), allow_nan=False))

    workspace, endpoints = body["workspace"], body["predictive"]["endpoints"]
    assert list(body) == ["workspace", "training", "predictive", "summary"]
    assert set(endpoints) == {"default", "live"}
    assert {name: entry["updatable"] for name, entry in endpoints.items()} == {"default": False, "live": True}
    services = f"http://studio.example/workspaces/{workspace}/webservices"
    assert endpoints["live"]["management_url"] == f"{services}/{body['predictive']['web_service']}/endpoints/live"
    assert body["training"]["jobs_url"].startswith(f"http://studio.example/workspaces/{workspace}/services/")
    assert len(body["training"]["primary_key"]) == 88
    assert body["summary"]["n_rows"] == 300


def test_the_table_for_people_masks_every_key(service: Service, early_file: Path) -> None:
    publication = publish(service, DECLARATION, early_file, ["live"])

    table = as_table(publication, ADDRESSES)

    endpoints = [publication.jobs_endpoint, *publication.endpoints]
    keys = [key.reveal() for e in endpoints for key in (e.primary_key, e.secondary_key)]
    assert not [key for key in keys if key[5:] in table]
    assert table.count("********") == 3
    assert f"AUC {publication.summary['metrics']['AUC']:.4g}" in table


def test_wrong_files_and_names_are_reported_together(service: Service, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        publish(service, tmp_path / "absent.toml", tmp_path / "absent.xlsx", ["live", "No Good"])

    assert len(caught.value.problems) == 4


def test_a_declaration_that_cannot_be_used_publishes_nothing(
    service: Service, early_file: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "Wrong"\n', encoding="utf-8")

    with pytest.raises(ExperimentError):
        publish(service, wrong, early_file, [])

    assert service.catalog.read().services == {}


def test_data_that_cannot_be_trained_on_publishes_nothing(service: Service, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("age,hours,job\n1,2,clerk\n", encoding="utf-8")

    with pytest.raises(ModuleError, match="income"):
        publish(service, DECLARATION, data, [])

    assert service.catalog.read().services == {}


def test_a_publication_waits_for_a_place_to_train_says_so_and_gives_it_back(
    service: Service, early_file: Path, tmp_path: Path
) -> None:
    busy, slots = TrainingSlots(1, tmp_path), TrainingSlots(1, tmp_path)
    said: list[str] = []
    assert busy.take()

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish, service, DECLARATION, early_file, [], None, slots, said.append)
        wait_for(lambda: bool(said), "the publication to wait")
        without_place = (publishing.done(), service.catalog.read().services)
        busy.free()
        publishing.result(30)

    assert without_place == (False, {})
    assert said == ["waiting for one of 1 training slots… 0 s"]
    assert busy.take()
    busy.free()


def test_a_training_that_fails_gives_its_place_back(service: Service, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("age,hours,job\n1,2,clerk\n", encoding="utf-8")

    with pytest.raises(ModuleError):
        publish(service, DECLARATION, data, [], slots=TrainingSlots(1, tmp_path))

    other = TrainingSlots(1, tmp_path)
    assert other.take()
    other.free()
