"""Blobs read by the account's key, against the storage emulator, which checks every signature."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError
from azure.storage.blob import ContainerClient

from shared.secret import Secret
from studio.blobs.connection import StorageAccount
from studio.store.blob_reading import BlobReader


def reader(account: StorageAccount, container: str, key: Secret | None = None) -> BlobReader:
    used = key or account.key
    assert used is not None
    return BlobReader(account.blob_endpoint, account.name, used, container, retry_total=0)


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_blob_is_read_whole(box: ContainerClient, account: StorageAccount, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    box.upload_blob("models/one.ilearner", data[:size])

    assert reader(account, str(box.container_name)).read("models/one.ilearner") == data[:size]


def test_a_blob_that_is_not_there_is_told_apart(box: ContainerClient, account: StorageAccount) -> None:
    with pytest.raises(ResourceNotFoundError):
        reader(account, str(box.container_name)).read("models/none.ilearner")
    with pytest.raises(ResourceNotFoundError):
        reader(account, "no-such-container").read("models/none.ilearner")


def test_another_key_is_refused_and_not_shown(box: ContainerClient, account: StorageAccount) -> None:
    box.upload_blob("a", b"text")

    with pytest.raises(HttpResponseError) as refused:
        reader(account, str(box.container_name), Secret("b3RoZXI=")).read("a")

    assert refused.value.status_code == 403
    assert "b3RoZXI=" not in str(refused.value)


def test_an_account_that_does_not_answer_is_an_error_of_storage() -> None:
    with pytest.raises(ServiceRequestError):
        BlobReader("http://127.0.0.1:9/a", "a", Secret("b3RoZXI="), "box", retry_total=0).read("a")
