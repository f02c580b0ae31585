"""The whole loop on real parts: drop a file, and a better model serves, or the old one with a stated reason."""

from __future__ import annotations

import requests
from running_loop import Loop

from local.scoring import Answer, ask, sample_rows


def ask_live(loop: Loop) -> list[Answer]:
    return ask(loop.addresses.publication.endpoints["live"], sample_rows(loop.files.holdout, 10))


def test_files_become_a_served_model_or_a_reason(loop: Loop) -> None:
    """One test, since each file is judged against what the files before it left in place."""
    before = ask_live(loop)

    better = loop.drop(loop.files.larger)
    assert better.outcome == "PROMOTED", better.reason
    assert better.run
    assert better.run.verdict
    assert better.run.verdict["paired"]
    served = ask_live(loop)
    assert served != before

    same = loop.drop(loop.files.larger, "again.csv")
    assert same.outcome == "DUPLICATE"
    assert same.run is None

    worse = loop.drop(loop.files.shuffled)
    assert worse.outcome == "REJECTED", worse.reason
    assert ask_live(loop) == served

    broken = loop.drop(loop.files.text_in_number.path)
    assert broken.outcome == "QUARANTINED"
    problem = broken.dataset.problems[0]
    assert (problem["line"], problem["column"]) == (loop.files.text_in_number.line, loop.files.text_in_number.column)

    runs = [run for run in loop.api.runs() if run.id.startswith("census-")]
    assert sorted(run.state for run in runs) == ["PROMOTED", "REJECTED"]


def test_the_http_functions_want_a_key_and_health_does_not(loop: Loop) -> None:
    url = loop.addresses.functions_url

    assert requests.get(f"{url}/api/health", timeout=10).json()["models"] == {
        "census": "ok",
        "demand": "ok",
        "rentals": "ok",
    }
    assert requests.get(f"{url}/api/runs", timeout=10).status_code == 401
    with_key = {"x-functions-key": loop.addresses.function_key.reveal()}
    missing = requests.get(f"{url}/api/runs/nothing", headers=with_key, timeout=10)
    assert missing.status_code == 404
    assert "there is no run 'nothing'" in missing.json()["error"]


def test_help_pages_are_where_the_start_says(loop: Loop) -> None:
    for published in loop.addresses.publications.values():
        page = requests.get(published.endpoints["live"].help_url, timeout=10)
        assert page.status_code == 200
        assert published.endpoints["live"].api_location.rpartition("/")[2] in page.text


def test_no_secret_is_in_the_logs(loop: Loop) -> None:
    """Keys that the environment made, and signatures of references, must not be in any part's log."""
    logs = {path.name: path.read_text(errors="replace") for path in loop.environment.state.logs.iterdir()}
    publications = loop.addresses.publications.values()
    endpoints = [endpoint for publication in publications for endpoint in publication.endpoints.values()]
    secrets = [endpoint.key.reveal() for endpoint in endpoints] + [loop.addresses.function_key.reveal()]

    assert logs
    for name, text in logs.items():
        assert not [secret for secret in secrets if secret in text], name
        assert "sig=" not in text.replace("sig=****", ""), name
