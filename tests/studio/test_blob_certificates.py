"""Blobs by https: the address is pinned, and the certificate has to be for the name, by somebody who is trusted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests.adapters
from azure.storage.blob import BlobServiceClient
from certificates import self_signed
from exchanges import Jobs, Published, RunJobs, error_of

from local.azurite import Azurite, Certificate
from shared.secret import Secret
from shared.wire import BlobReference
from studio.blobs.blob_access import BlobAccess, BlobFault, BlobUnreachable
from studio.blobs.connection import StorageAccount
from studio.settings import Settings

OWN = StorageAccount("https://own.example", "own", key=Secret("a2V5"))
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # Azurite's, known

# The test puts the blob there whatever the certificate is; the service looks at it.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

Opened = Callable[[Certificate], int]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Start storage with a certificate and a blob in it; return its port."""
    running: list[Azurite] = []

    def start(certificate: Certificate) -> int:
        azurite = Azurite(certificate=certificate).start()
        running.append(azurite)
        with BlobServiceClient.from_connection_string(azurite.connection_string, connection_verify=False) as blobs:
            blobs.create_container("box")
            blobs.get_blob_client("box", "a.csv").upload_blob(b"a,b\n1,2\n")
        return int(azurite.connection_string.partition("BlobEndpoint=https://127.0.0.1:")[2].partition("/")[0])

    yield start
    for azurite in running:
        azurite.stop()


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> None:
    """Have the library trust this certificate and no other."""
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate.file))


def read(host: str, port: int) -> bytes:
    endpoint = f"https://{host}:{port}/devstoreaccount1"
    connection = Secret(f"AccountName=devstoreaccount1;AccountKey={KEY};BlobEndpoint={endpoint}")
    return BlobAccess(OWN, frozenset({f"{host}:{port}"})).read(BlobReference("box/a.csv", connection=connection))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_blob_is_read_from_who_has_a_certificate_for_the_name(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    certificate = self_signed(tmp_path, host)
    trust(monkeypatch, certificate)

    assert read(host, opened(certificate)) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("certified", "asked", "valid"),
    [
        ("other.example", "localhost", timedelta(days=1)),
        ("127.0.0.1", "localhost", timedelta(days=1)),  # the address is connected to, and the name was asked for
        ("localhost", "127.0.0.1", timedelta(days=1)),
        ("localhost", "localhost", timedelta(days=-1)),
    ],
    ids=["another name", "the address", "the name", "expired"],
)
def test_a_certificate_for_anything_else_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certified: str, asked: str, valid: timedelta
) -> None:
    certificate = self_signed(tmp_path, certified, valid=valid)
    trust(monkeypatch, certificate)

    _refused(asked, opened(certificate))


def test_a_certificate_of_who_is_not_trusted_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("own", "foreign"):
        (tmp_path / name).mkdir()
    trust(monkeypatch, self_signed(tmp_path / "own", "localhost"))

    _refused("localhost", opened(self_signed(tmp_path / "foreign", "localhost")))

    assert KEY not in caplog.text


@pytest.fixture
def untrusted(opened: Opened, tmp_path: Path) -> int:
    """The port of storage with a certificate that nobody trusts."""
    return opened(self_signed(tmp_path, "localhost"))


@pytest.fixture
def settings(settings: Settings, untrusted: int) -> Settings:
    return replace(settings, blob_hosts=settings.blob_hosts | {f"localhost:{untrusted}"})


def test_the_refusal_has_the_protocols_form_and_holds_no_signature(
    published: Published, untrusted: int, jobs: Jobs, run_jobs: RunJobs, caplog: pytest.LogCaptureFixture
) -> None:
    def there(name: str) -> dict[str, str]:
        base = f"https://localhost:{untrusted}/devstoreaccount1/"
        return {"BaseLocation": base, "RelativeLocation": f"box/{name}", "SasBlobToken": "?sv=1&sig=topsecret"}

    model = {"Name": published.json["predictive"]["resource"], "Location": there("model.ilearner")}
    address, headers = published.endpoint("live")["management_url"], published.headers("live")
    answer = published.client.patch(address, headers=headers, json={"Resources": [model]})
    status = jobs.finished({"Inputs": {"input1": there("a.csv")}}, run_jobs)

    assert error_of(answer) == (400, "BadArgument", "InvalidBlob")
    assert (status["StatusCode"], "Error 0030" in status["Details"]) == ("Failed", True)
    said = (answer.text, status["Details"])
    assert ["'localhost' shows no certificate that this service trusts" in text for text in said] == [True, True]
    assert "topsecret" not in "".join([*said, caplog.text])


def _refused(host: str, port: int) -> None:
    with pytest.raises(BlobFault) as caught:
        read(host, port)

    assert caught.value.detail == "InvalidBlob"
    assert f"'{host}' shows no certificate that this service trusts for that name" in str(caught.value)
    assert not isinstance(caught.value, BlobUnreachable)  # a later try would find the same
    assert KEY not in str(caught.value)
