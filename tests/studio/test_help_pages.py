"""The help pages: what they say of an endpoint, and how they bear hostile names."""

from __future__ import annotations

import ast
import html
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from exchanges import DATA, ROW, TOKEN, Published, bearer, people

from studio.commands.publish import publish
from studio.web.help.json_text import json_text
from studio.web.help.samples import samples

PAGES = ["", "/score", "/jobs", "/update"]
LANGUAGES = ["C#", "Python 3", "R", "PowerShell", "curl"]
HOSTILE = [
    "</code><script>alert(1)</script>",
    "a\"b'c\\d`e$f%g{{ 7 * 7 }}",
    "‘typographic’ \u2028 line",
    '\'@\nJSON\n"""',
    "größer 😀",
]


@pytest.fixture
def published(standing: Published) -> Published:
    return standing


def help_location(published: Published, name: str = "live") -> str:
    shown = published.client.get(published.endpoint(name)["management_url"], headers=bearer(TOKEN)).json()
    return str(shown["HelpLocation"])


def training_help(published: Published) -> str:
    address = f"/workspaces/{published.json['workspace']}/webservices/{published.json['training']['web_service']}"
    [endpoint] = published.client.get(f"{address}/endpoints", headers=bearer(TOKEN)).json()
    return str(endpoint["HelpLocation"])


def page(published: Published, address: str) -> str:
    return published.client.get(address).raise_for_status().text


def sample(text: str, language: str) -> str:
    """Cut the program of one language out of a page."""
    found = re.search(rf"<summary>{re.escape(language)}</summary>.*?<code>(.*?)</code>", text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize("suffix", PAGES)
def test_the_help_location_leads_to_pages_that_need_no_key_and_show_none(published: Published, suffix: str) -> None:
    answer = published.client.get(help_location(published) + suffix)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert published.endpoint("live")["primary_key"] not in answer.text
    assert published.endpoint("live")["api_location"] in answer.text or suffix == "/update"


@pytest.mark.parametrize("suffix", PAGES)
def test_a_page_may_load_and_call_nothing_but_this_service(published: Published, suffix: str) -> None:
    answer = published.client.get(help_location(published) + suffix)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=|javascript:", answer.text)


@pytest.mark.parametrize("suffix", PAGES)
def test_every_link_of_a_page_leads_somewhere(published: Published, suffix: str) -> None:
    address = httpx.URL(help_location(published) + suffix)
    text = page(published, str(address))

    links = [html.unescape(link) for link in re.findall(r'(?:href|src)="([^"#]+)"', text)]

    assert len(links) >= 5
    for link in links:
        assert published.client.get(address.join(link)).status_code == 200, link


@pytest.mark.parametrize("suffix", ["/score", "/jobs", "/update"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_sample_with_the_endpoints_address(
    published: Published, suffix: str, language: str
) -> None:
    live = published.endpoint("live")
    api = f"{live['api_location']}/{'jobs' if suffix == '/jobs' else 'execute'}"
    address = live["management_url"] if suffix == "/update" else api

    program = sample(page(published, help_location(published) + suffix), language)

    assert address in program
    assert "****" in program


def test_a_samples_cells_are_such_as_the_model_knows(published: Published) -> None:
    program = sample(page(published, help_location(published) + "/score"), "Python 3")

    assert assigned(program, "body")["Inputs"]["input1"]["Values"] == [["0", "0", "clerk", "<=50K"]]


def test_the_jobs_page_lists_ports_and_parameters(published: Published) -> None:
    text = page(published, training_help(published) + "/jobs")

    for shown in ("input1", "output1", "output2", ".ilearner", "Random seed", f"{published.jobs_url}?api-version=2.0"):
        assert shown in text
    assert '"GlobalParameters": {"Random seed": "1"}' in html.unescape(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_jobs_page_has_a_sample_in_each_language(published: Published, language: str) -> None:
    program = sample(page(published, training_help(published) + "/jobs"), language)

    assert published.jobs_url in program
    assert "/start" in program


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("live", "Income who earns more [trained model]"),
        ("default", "this endpoint follows the experiment"),
        ("training", "this web service trains models"),
    ],
)
def test_the_update_page_lists_the_updatable_resources(published: Published, which: str, expected: str) -> None:
    location = training_help(published) if which == "training" else help_location(published, which)

    assert expected in page(published, location + "/update")


def test_a_training_service_says_that_it_does_not_score(published: Published) -> None:
    assert "has none to score with" in page(published, training_help(published) + "/score")


def test_an_endpoint_is_not_found_under_another_web_service(published: Published) -> None:
    address = help_location(published).replace(
        published.json["predictive"]["web_service"], published.json["training"]["web_service"]
    )

    assert published.client.get(address).status_code == 404


@pytest.fixture
def hostile(published: Published, tmp_path: Path) -> str:
    """The help location of an experiment whose names are meant to break out of a page."""
    declaration = (DATA / "income.toml").read_text(encoding="utf-8")
    column = json.dumps(HOSTILE[1])
    declaration = declaration.replace('"Income: who earns more?"', json.dumps(HOSTILE[0])).replace(
        "\njob =", f"\n{column} ="
    )
    (tmp_path / "hostile.toml").write_text(declaration, encoding="utf-8")
    data = people(tmp_path / "hostile.csv", 300)
    header = HOSTILE[1].replace('"', '""')
    data.write_text(data.read_text().replace("age,hours,job,", f'age,hours,"{header}",'), encoding="utf-8")
    publication = publish(published.service, tmp_path / "hostile.toml", data, ["live"])
    published.service.registry.refresh()
    live = next(endpoint for endpoint in publication.endpoints if endpoint.name == "live")
    services = f"/apihelp/workspaces/{live.workspace}/webservices/{live.service_id}"
    return f"{services}/endpoints/{live.id}"


@pytest.mark.parametrize("suffix", PAGES)
def test_hostile_names_stay_text(published: Published, hostile: str, suffix: str) -> None:
    text = page(published, hostile + suffix)

    assert "<script>alert" not in text
    assert "49" not in re.findall(r"g(\d+)", text)
    assert html.escape(HOSTILE[0]).replace("&#x27;", "&#39;") in text


def test_a_sample_with_hostile_columns_still_parses(published: Published, hostile: str) -> None:
    program = sample(page(published, hostile + "/score"), "Python 3")

    assert HOSTILE[1] in assigned(program, "body")["Inputs"]["input1"]["ColumnNames"]


def assigned(program: str, name: str) -> Any:
    """Return the literal that a Python program gives a name."""
    for node in ast.parse(program).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{name} is not assigned")


def body_in(language: str, program: str) -> Any:
    """Read the body back out of a program by the language's own rule for literals."""
    if language == "Python 3":
        return assigned(program, "body")
    patterns = {
        "C#": r'const string Body = @"((?:[^"]|"")*)";',
        "R": r"body <- '((?:[^'\\]|\\.)*)'\n",
        "PowerShell": r"\$body = @'\n(.*?)\n'@",
        "curl": r"<<'JSON'\n(.*?)\nJSON\n?",
    }
    found = re.search(patterns[language], program, re.DOTALL)
    assert found is not None, program
    text = found[1]
    if language == "R":
        text = re.sub(r"\\(.)", r"\1", text)
    elif language == "C#":
        text = text.replace('""', '"')
    return json.loads(text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", ["score", "jobs", "update"])
def test_hostile_texts_reach_the_service_unchanged_in_every_language(language: str, purpose: str) -> None:
    body = {"Inputs": {name: [HOSTILE, [name]] for name in HOSTILE}, "GlobalParameters": {}}

    program = dict(samples(purpose, "https://host/x", body))[language]

    assert body_in(language, program) == body


def test_a_long_list_of_texts_fills_its_lines() -> None:
    text = json_text({"ColumnNames": [f"column {at}" for at in range(40)]})

    assert len(text.splitlines()) < 12
    assert max(map(len, text.splitlines())) <= 96


@pytest.mark.parametrize("value", [ROW, {}, [], "x" * 200, {"a": ["b" * 60, "c" * 60]}, [[["d" * 100]]]])
def test_json_for_people_is_json(value: object) -> None:
    assert json.loads(json_text(value)) == value
