"""docs/operations.md names every setting with its default and range."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from deployment import ROOT

from studio.operation import Operation

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SETTINGS = [field.name for field in fields(Operation)]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_optional_setting_is_on_the_page_with_its_default(name: str) -> None:
    key = f"STUDIO_{name.upper()}"
    row = re.search(rf"^\| `{key}` \| (\S+)", PAGE, re.M)

    assert key in PAGE
    assert row is None or row[1] == str(getattr(Operation(), name))


def test_the_page_names_no_setting_that_is_not_read() -> None:
    read_elsewhere = {"storage", "url", "secret", "workspace", "workspace_token", "blob_hosts", "metrics_folder"}
    read_elsewhere |= {"trusted_proxies"}

    named = {name.lower() for name in re.findall(r"`STUDIO_([A-Z_]+)`", PAGE)}

    assert named == set(SETTINGS) | read_elsewhere
