"""The service's settings, and the connection strings and addresses in them."""

from __future__ import annotations

import pytest
from exchanges import SECRET

from shared.errors import ConfigError
from shared.secret import Secret
from studio.blobs.connection import ConnectionStringError, StorageAccount, location_of
from studio.settings import Settings

GOOD = {
    "STUDIO_STORAGE": "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5",
    "STUDIO_URL": "http://127.0.0.1:5100/",
    "STUDIO_SECRET": SECRET,
}


def test_the_three_required_settings_are_enough() -> None:
    settings = Settings.from_env(GOOD)

    assert settings.url == "http://127.0.0.1:5100"
    assert settings.workspace is None
    assert settings.workspace_token is None


def test_own_storage_is_always_an_allowed_host() -> None:
    settings = Settings.from_env({**GOOD, "STUDIO_BLOB_HOSTS": "other.example, 127.0.0.1:10000"})

    assert settings.blob_hosts == {"acct.blob.core.windows.net:443", "other.example", "127.0.0.1:10000"}


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"STUDIO_WORKSPACE": "x", "STUDIO_WORKSPACE_TOKEN": "short", "STUDIO_BLOB_HOSTS": "a/b"})

    named = [problem.split()[0] for problem in caught.value.problems]
    assert named == [
        "STUDIO_STORAGE",
        "STUDIO_URL",
        "STUDIO_SECRET",
        "STUDIO_WORKSPACE",
        "STUDIO_WORKSPACE_TOKEN",
        "STUDIO_BLOB_HOSTS",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("STUDIO_STORAGE", "AccountName=acct;AccountKey="),
        ("STUDIO_STORAGE", "BlobEndpoint=https://acct.example;SharedAccessSignature=sv=1&sig=topsecret"),
        ("STUDIO_STORAGE", "AccountName=acct;AccountKey=topsecret;BlobEndpoint=ftp://acct.example"),
        ("STUDIO_SECRET", "topsecret"),
        ("STUDIO_SECRET", "dG9wc2VjcmV0"),
        ("STUDIO_URL", "127.0.0.1:5100"),
        ("STUDIO_URL", "http://127.0.0.1:5100/?key=topsecret"),
        ("STUDIO_WORKSPACE", "0123456789ABCDEF0123456789ABCDEF"),
        ("STUDIO_TRUSTED_PROXIES", "*"),
        ("STUDIO_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(key: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({**GOOD, key: value})

    assert len(caught.value.problems) == 1
    assert key in str(caught.value)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "base", "opened_by"),
    [
        ("AccountName=a;AccountKey=k==", "https://a.blob.core.windows.net/", "k=="),
        ("accountkey=k;ACCOUNTNAME=a;EndpointSuffix=core.example", "https://a.blob.core.example/", "k"),
        ("AccountName=a;AccountKey=k;BlobEndpoint=http://127.0.0.1:10000/a", "http://127.0.0.1:10000/a/", "k"),
        ("BlobEndpoint=https://a.example/;SharedAccessSignature=?sv=1&sig=x", "https://a.example/", "sv=1&sig=x"),
    ],
)
def test_connection_strings_are_read_whatever_their_order(text: str, base: str, opened_by: str) -> None:
    account = StorageAccount.parse(Secret(text))

    assert account.base_location == base
    assert (account.key or account.signature) == Secret(opened_by)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "AccountName=a",
        "SharedAccessSignature=sv=1",
        "AccountName=a;AccountKey=k;BlobEndpoint=file:///etc/passwd",
        "AccountName=a;AccountKey=k;BlobEndpoint=https://user:pass@a.example",
        "AccountName=a;AccountKey=k;BlobEndpoint=https://a.example:99999",
    ],
)
def test_a_connection_string_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(ConnectionStringError):
        StorageAccount.parse(Secret(text))


@pytest.mark.parametrize(
    ("address", "hosts", "listed"),
    [
        ("https://a.example/x", {"a.example"}, True),
        ("https://A.Example/x", {"a.example"}, True),
        ("https://a.example:8443/x", {"a.example"}, False),
        ("https://a.example:8443/x", {"a.example:8443"}, True),
        ("http://127.0.0.1:10000/x", {"127.0.0.1:10000"}, True),
        ("http://127.0.0.1:10001/x", {"127.0.0.1:10000"}, False),
        ("https://a.example.evil.example/x", {"a.example"}, False),
        ("https://evil.example/a.example", {"a.example"}, False),
    ],
)
def test_an_allow_list_names_host_and_port(address: str, hosts: set[str], listed: bool) -> None:
    assert location_of(address).is_listed(frozenset(hosts)) is listed
