"""The bad-input corpus: every file, declaration and setting that is refused gets exactly the reason it should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bad_files import BAD_FILES, HOLDOUT
from bad_settings import BAD_MODELS, BAD_SETTINGS, GOOD_SETTINGS, SAMPLE
from test_models_file import ENVIRONMENT

from shared.declarations.models_file import load_models
from shared.domain.data.checking import check
from shared.domain.data.contract import Contract, Overlap
from shared.domain.data.row_hashes import holdout_hashes
from shared.errors import ConfigError
from shared.settings import Settings


@pytest.mark.parametrize(("name", "contract", "data", "reason"), BAD_FILES, ids=[case[0] for case in BAD_FILES])
@pytest.mark.parametrize("chunk", [99, 2**20])
def test_a_bad_file_is_refused_with_its_reason(
    name: str, contract: Contract, data: str | bytes, reason: str, chunk: int
) -> None:
    raw = data.encode() if isinstance(data, str) else data
    holdout = frozenset() if contract.overlap is Overlap.WARN else holdout_hashes([HOLDOUT], contract)

    findings = check((raw[at : at + chunk] for at in range(0, len(raw), chunk)), contract, holdout)

    assert not findings.is_met
    assert findings.is_balanced
    assert findings.sentence() == reason


@pytest.mark.parametrize(("name", "old", "new", "problems"), BAD_MODELS, ids=[case[0] for case in BAD_MODELS])
def test_a_bad_declaration_is_refused_with_its_reasons(
    tmp_path: Path, name: str, old: str, new: str, problems: list[str]
) -> None:
    assert old in SAMPLE
    file = tmp_path / "models.toml"
    file.write_text(SAMPLE.replace(old, new))

    with pytest.raises(ConfigError) as refused:
        load_models(file, ENVIRONMENT)

    assert [re.sub("known are .*", "known are …", problem) for problem in refused.value.problems] == problems


@pytest.mark.parametrize(("name", "changes", "problems"), BAD_SETTINGS, ids=[case[0] for case in BAD_SETTINGS])
def test_a_bad_setting_is_refused_with_its_reasons(name: str, changes: dict[str, str], problems: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_env(GOOD_SETTINGS | changes)

    assert list(refused.value.problems) == problems


def test_the_corpus_names_enough_cases_and_each_once() -> None:
    names = [case[0] for case in (*BAD_FILES, *BAD_MODELS, *BAD_SETTINGS)]

    assert len(set(names)) == len(names) >= 120
