"""Loaded models: bounded memory, reloading without storage, what survives a model that cannot be loaded, old models."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from exchanges import DATA, Published, people, scored

from studio.bootstrap import Service
from studio.engine.experiment import parse_experiment
from studio.engine.scorer import Scorer
from studio.engine.training import train
from studio.services.catalog import Endpoint
from studio.services.endpoints import new_endpoint
from studio.serving.model_cache import ModelCache
from studio.serving.model_sweep import SPARED_FOR, sweep_models
from studio.store.artifacts import ArtifactKind, ArtifactMissing

ROW = (["age", "hours", "job"], [["40", "40", "clerk"]])


@pytest.fixture(scope="module")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Six models that differ."""
    folder = tmp_path_factory.mktemp("models")
    experiment = parse_experiment((DATA / "income.toml").read_text(encoding="utf-8"), "income")
    files = [people(folder / f"{seed}.csv", 300, seed) for seed in range(11, 17)]
    return [train(experiment, file, ".csv", threads=1).model_file for file in files]


@pytest.fixture
def digests(service: Service, model_files: list[bytes]) -> list[str]:
    return [service.artifacts.put(ArtifactKind.MODEL, data) for data in model_files]


def cache(service: Service, n_models: float, model_files: list[bytes]) -> ModelCache:
    """Make a cache with memory for so many models."""
    return ModelCache(service.artifacts, int(n_models * 6 * max(map(len, model_files))))


def remove_all(service: Service) -> None:
    for kept in service.artifacts.listed(ArtifactKind.MODEL):
        service.artifacts.remove(kept)


def test_models_beyond_the_memory_are_unloaded_and_loaded_again_without_storage(
    service: Service, digests: list[str], model_files: list[bytes]
) -> None:
    models = cache(service, 2, model_files)

    assert models.fetch(digests) == {}
    first = [models.load(digest).score(*ROW) for digest in digests]
    n_loaded = models.n_loaded
    remove_all(service)
    second = [models.load(digest).score(*ROW) for digest in digests]

    assert n_loaded <= 2
    assert first == second


def test_the_model_that_was_not_asked_for_longest_makes_room(
    service: Service, digests: list[str], model_files: list[bytes]
) -> None:
    models = cache(service, 2.5, model_files)
    models.fetch(digests)
    busy, idle = models.load(digests[0]), models.load(digests[1])

    models.load(digests[0])
    models.load(digests[2])

    assert models.load(digests[0]) is busy
    assert models.load(digests[1]) is not idle


def test_a_model_larger_than_the_memory_is_served_all_the_same(service: Service, digests: list[str]) -> None:
    models = ModelCache(service.artifacts, 1)
    models.fetch(digests[:1])

    assert models.load(digests[0]) is models.load(digests[0])


def test_a_file_that_was_altered_is_not_loaded(service: Service, digests: list[str]) -> None:
    models = ModelCache(service.artifacts, 2**30)
    models.fetch(digests[:1])
    models._path(digests[0]).write_bytes(b"something else")

    with pytest.raises(ArtifactMissing):
        models.load(digests[0])


def test_a_model_that_was_altered_in_storage_is_mended_by_putting_it_again(
    service: Service, digests: list[str], model_files: list[bytes]
) -> None:
    blob = service.storage.artifacts.get_blob_client(f"models/{digests[0]}.ilearner")
    blob.upload_blob(b"something else", overwrite=True)
    with pytest.raises(ArtifactMissing):
        service.artifacts.get(ArtifactKind.MODEL, digests[0])

    service.artifacts.put(ArtifactKind.MODEL, model_files[0])

    assert service.artifacts.get(ArtifactKind.MODEL, digests[0]) == model_files[0]


def test_models_that_nobody_serves_leave_memory_and_disk(service: Service, digests: list[str]) -> None:
    models = ModelCache(service.artifacts, 2**30)
    models.fetch(digests)
    for digest in digests:
        models.load(digest)

    models.forget_all_but({digests[0]})

    assert models.n_loaded == 1
    assert [path.name for path in models._folder.iterdir()] == [digests[0]]


def live(published: Published) -> Endpoint:
    service_id = published.publication.predictive.id
    endpoint = published.service.catalog.read().endpoint_named(service_id, "live")
    assert endpoint is not None
    return endpoint


def serve(published: Published, model: str) -> None:
    """Have the live endpoint serve another model, as a PATCH does."""
    published.service.store.save([replace(live(published), model=model)])
    published.service.registry.refresh()


@pytest.mark.parametrize("stored", [b"no model at all", None])
def test_a_model_that_cannot_be_loaded_leaves_the_old_one_serving(published: Published, stored: bytes | None) -> None:
    before = scored(published, "live")
    digest = published.service.artifacts.put(ArtifactKind.MODEL, stored) if stored else "0" * 64

    serve(published, digest)

    assert scored(published, "live") == before
    assert published.service.registry.problems == [f"the model {digest[:12]}… could not be loaded"]
    published.service.registry.refresh()
    assert scored(published, "live") == before


def test_a_change_loads_the_new_model_alone(published: Published, digests: list[str]) -> None:
    before = published.service.registry.find(published.publication.endpoints[0].id)
    assert before is not None
    unchanged = before.scorer

    serve(published, digests[1])

    after = published.service.registry.find(published.publication.endpoints[0].id)
    assert after is not None
    assert after.scorer is unchanged


def test_an_endpoint_remembers_its_last_models_up_to_the_setting(published: Published, digests: list[str]) -> None:
    first = live(published).model

    for digest in digests[:3]:
        serve(published, digest)
    few = live(published).past_models
    for digest in digests[3:]:
        serve(published, digest)

    assert few == (digests[1], digests[0], first)
    assert live(published).past_models == tuple(reversed(digests[1:5]))


def test_a_model_that_serves_again_is_remembered_once(published: Published, digests: list[str]) -> None:
    for digest in (digests[0], digests[1], digests[0]):
        serve(published, digest)

    assert live(published).past_models[0] == digests[1]
    assert digests[0] not in live(published).past_models


def test_a_model_that_made_room_is_loaded_off_the_event_loop(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    load = Scorer.load

    def noted(data: bytes) -> Scorer:
        threads.append(threading.current_thread().name)
        return load(data)

    before = scored(published, "live")
    monkeypatch.setattr(Scorer, "load", noted)
    published.service.registry._models._loaded.clear()

    assert scored(published, "live") == before
    assert len(threads) == 1
    assert threads[0].partition("_")[0] in ("asyncio", "uvloop")  # a thread of the loop's pool, not the loop's own


def stored_models(service: Service) -> set[str]:
    return {kept.digest for kept in service.artifacts.listed(ArtifactKind.MODEL)}


def test_the_sweep_removes_what_nobody_serves_or_remembers(published: Published, digests: list[str]) -> None:
    own = published.service
    for digest in digests:
        serve(published, digest)
    forgotten = own.artifacts.put(ArtifactKind.MODEL, b"named by nobody")

    fresh = sweep_models(own.catalog, own.artifacts, datetime.now(UTC))
    n_removed = sweep_models(own.catalog, own.artifacts, datetime.now(UTC) + SPARED_FOR)

    assert fresh == 0
    assert n_removed >= 2
    assert {forgotten, digests[0]} & stored_models(own) == set()
    assert set(digests[1:]) <= stored_models(own)


def test_a_model_that_is_put_again_is_not_swept_away(service: Service) -> None:
    digest = service.artifacts.put(ArtifactKind.MODEL, b"put twice")
    listed = next(kept for kept in service.artifacts.listed(ArtifactKind.MODEL) if kept.digest == digest)

    service.artifacts.put(ArtifactKind.MODEL, b"put twice")

    assert service.artifacts.remove(listed) is False
    assert service.artifacts.get(ArtifactKind.MODEL, digest) == b"put twice"


def test_many_endpoints_are_served_from_little_memory(
    published: Published, digests: list[str], model_files: list[bytes]
) -> None:
    own, service = published.service, published.publication.predictive
    many = [new_endpoint(service, f"c{n}", digests[n % 6], datetime.now(UTC)) for n in range(90)]
    own.store.save(many)
    own.registry._models = cache(own, 2, model_files)
    own.registry.refresh()

    scorers = [own.registry.find(endpoint.id) for endpoint in own.catalog.read().endpoints_of(service.id)]
    answers = [served.scorer.score(*ROW) for served in scorers if served is not None and served.scorer is not None]

    assert len(answers) == 90 + 3
    assert own.registry._models.n_loaded <= 2
