"""What the app downloads because a service named it: bounded, and never in the clear from elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.adapters.blobs import BlobStore
from shared.adapters.http import ServiceCaller
from shared.errors import ServiceRejected
from shared.secret import Secret


@pytest.fixture
def signed(storage: Secret) -> Secret:
    blobs = BlobStore(storage)
    blobs.write("artifacts/a b.csv", b"x" * 100_000)
    return blobs.reference("artifacts/a b.csv", write=False, lifetime=timedelta(minutes=5)).signed_url()


def test_a_blob_is_fetched_by_its_signed_address(signed: Secret) -> None:
    assert ServiceCaller().fetch("read", signed, limit=100_000) == b"x" * 100_000


def test_a_blob_above_the_limit_is_refused(signed: Secret) -> None:
    with pytest.raises(ServiceRejected, match="more than 99999 bytes"):
        ServiceCaller().fetch("read", signed, limit=99_999)


def test_an_address_without_https_is_refused_before_any_call() -> None:
    with pytest.raises(ServiceRejected, match=r"blob on 'blobs\.example' without https"):
        ServiceCaller().fetch("read", Secret("http://blobs.example/a/b.csv?sig=planted"), limit=1)


def test_a_refusal_does_not_repeat_the_token(signed: Secret) -> None:
    broken = Secret(signed.reveal().replace("sig=", "sig=wrong"))

    with pytest.raises(ServiceRejected) as refused:
        ServiceCaller().fetch("read", broken, limit=1)

    assert refused.value.status == 403
    assert "sig=" not in str(refused.value)
