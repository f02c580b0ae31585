"""The service in this process, behind a real HTTP server and over the storage emulator, with a small experiment."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from azure.storage.blob import BlobServiceClient, ContainerClient
from exchanges import DATA, SECRET, TOKEN, Jobs, Published, people, recorded, wait_for
from job_bench import Bench

from shared.secret import Secret
from studio.batch.job_process import warm_up
from studio.batch.worker import Worker
from studio.blobs.connection import StorageAccount
from studio.bootstrap import Service, assemble, assemble_worker
from studio.commands.publish import publish
from studio.engine.openmp import wait_briefly
from studio.services.addresses import Addresses
from studio.settings import Settings
from studio.web.app import create_app
from studio.web.http_protocol import WholeAnswers

wait_briefly()  # as in `python -m studio`, before OpenMP loads


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def settings(azurite: Any, listener: socket.socket) -> Settings:
    return _settings(azurite.connection_string, listener)


@pytest.fixture
def service(settings: Settings) -> Service:
    return _prepared(settings)


@pytest.fixture
def client(service: Service, listener: socket.socket) -> Iterator[httpx.Client]:
    with _answering(service, listener) as client:
        yield client


@pytest.fixture
def early_file(tmp_path: Path) -> Path:
    return people(tmp_path / "early.csv", 300)


@pytest.fixture
def published(service: Service, client: httpx.Client, early_file: Path) -> Published:
    return _published(service, client, early_file)


@pytest.fixture
def start_again() -> Iterator[Callable[[Published], Published]]:
    """Start the service anew over the same storage, as another process would; what is in memory is not shared."""
    with ExitStack() as stack:

        def start(published: Published) -> Published:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            service = assemble(replace(published.service.settings, url=url))
            client = stack.enter_context(_answering(service, listener))
            return replace(
                published, client=client, service=service, json=published.publication.to_json(Addresses(url))
            )

        yield start


@pytest.fixture(scope="module")
def standing(azurite: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """One publication for all tests of a module that change nothing."""
    yield from _publication(azurite, tmp_path_factory)


@pytest.fixture(scope="module")
def doomed(azurite: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """One publication for all tests of a module that delete what they find."""
    yield from _publication(azurite, tmp_path_factory)


def _publication(azurite: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    early_file = people(tmp_path_factory.mktemp("publication") / "early.csv", 300)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = _prepared(_settings(azurite.connection_string, listener))
        with _answering(service, listener) as client:
            yield _published(service, client, early_file)


@pytest.fixture
def box(azurite: Any) -> Iterator[ContainerClient]:
    """A container of the caller's own."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        container = blobs.create_container(f"box-{uuid.uuid4().hex[:8]}")
        yield container
        container.delete_container()


@pytest.fixture
def request_body(box: ContainerClient, storage: Secret, tmp_path: Path) -> dict[str, Any]:
    """Upload training data and name it, with both outputs, as the recorded request does."""
    box.upload_blob("train.csv", people(tmp_path / "train.csv", 400, seed=1).read_bytes())
    body = recorded("batch_bodies.json")["submit_current"]["body"]
    for reference in (*body["Inputs"].values(), *body["Outputs"].values()):
        reference["ConnectionString"] = storage.reveal()
        reference["RelativeLocation"] = reference["RelativeLocation"].replace("box", str(box.container_name))
    return dict(body)


@pytest.fixture
def jobs(published: Published) -> Jobs:
    return Jobs(published)


@pytest.fixture
def worker(settings: Settings) -> Worker:
    warm_up()
    return assemble_worker(settings, threading.Event())[1]


@pytest.fixture
def run_jobs(worker: Worker) -> Callable[[], None]:
    """Work until the queue shows nothing more."""

    def work() -> None:
        while worker.step():
            pass

    return work


@pytest.fixture
def working(service: Service) -> Iterator[threading.Event]:
    """A worker in a thread of its own; setting the event stops it."""
    warm_up()
    stop = threading.Event()
    worker = assemble_worker(service.settings, stop)[1]
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield stop
    stop.set()
    thread.join()


@pytest.fixture
def bench(service: Service, box: ContainerClient, tmp_path: Path) -> Bench:
    return Bench(service, box, service.settings.storage, people(tmp_path / "train.csv", 3000).read_bytes())


@pytest.fixture
def account(settings: Settings) -> StorageAccount:
    return StorageAccount.parse(settings.storage)


@pytest.fixture
def storage(settings: Settings) -> Secret:
    return settings.storage


def _settings(connection_string: str, listener: socket.socket) -> Settings:
    return Settings.from_env(
        {
            "STUDIO_STORAGE": connection_string,
            "STUDIO_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "STUDIO_SECRET": SECRET,
            "STUDIO_WORKSPACE": uuid.uuid4().hex,
            "STUDIO_WORKSPACE_TOKEN": TOKEN,
        }
    )


def _prepared(settings: Settings) -> Service:
    service = assemble(settings)
    service.storage.prepare()
    service.storage.queue.clear_messages()
    return service


@contextmanager
def _answering(service: Service, listener: socket.socket) -> Iterator[httpx.Client]:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(service, lambda _: service), http=WholeAnswers, log_config=None, timeout_graceful_shutdown=5
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        wait_for(lambda: server.started and service.registry.is_ready, "the service to be ready")
        with httpx.Client(base_url=service.settings.url, trust_env=False, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def _published(service: Service, client: httpx.Client, data: Path) -> Published:
    publication = publish(service, DATA / "income.toml", data, ["live", "staging"])
    service.registry.refresh()
    return Published(client, service, publication, publication.to_json(Addresses(service.settings.url)))
