from __future__ import annotations

import pytest

from local.host.web.route_template import RouteTemplate


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("runs", "runs", {}),
        ("runs", "RUNS", {}),
        ("runs", "runs/1", None),
        ("runs/{id}", "runs/a1", {"id": "a1"}),
        ("runs/{id}", "runs", None),
        ("runs/{id}", "runs/", None),
        ("runs/{id?}", "runs", {}),
        ("runs/{id=latest}", "runs", {"id": "latest"}),
        ("runs/{id=latest}", "runs/7", {"id": "7"}),
        ("files/{*path}", "files/a/b.csv", {"path": "a/b.csv"}),
        ("files/{*path}", "files", {}),
        ("{name}.{ext}", "a.b.c", {"name": "a.b", "ext": "c"}),
        ("v{version:int}/x", "v2/x", {"version": "2"}),
        ("", "", {}),
        ("", "x", None),
    ],
)
def test_a_template_takes_a_path_apart(template: str, path: str, values: dict[str, str] | None) -> None:
    assert RouteTemplate(template).match(path) == values


@pytest.mark.parametrize(
    ("constraint", "fits", "does_not"),
    [
        ("int", "-7", "2147483648"),
        ("long", "2147483648", "x"),
        ("bool", "True", "1"),
        ("alpha", "abc", "a1"),
        ("guid", "0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b"),
        ("datetime", "2026-06-01", "june"),
        ("double", "1.5", "one"),
        ("length(3)", "abc", "ab"),
        ("length(1,2)", "ab", "abc"),
        ("minlength(2)", "ab", "a"),
        ("maxlength(2)", "ab", "abc"),
        ("range(1,9)", "9", "10"),
        ("min(5)", "5", "4"),
        ("max(5)", "5", "6"),
        ("int:min(5)", "5", "4"),
        (r"regex(^\d+x$)", "12x", "12"),
    ],
)
def test_a_constraint_lets_through_what_fits_it(constraint: str, fits: str, does_not: str) -> None:
    template = RouteTemplate(f"x/{{value:{constraint}}}")

    assert template.match(f"x/{fits}") == {"value": fits}
    assert template.match(f"x/{does_not}") is None


@pytest.mark.parametrize("template", ["{", "a/{}", "a/{1x}", "a/{x:colour}", "a/{x:length(a)}", "a/x}"])
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="route"):
        RouteTemplate(template)


def test_literals_are_served_before_parameters_and_those_before_the_rest() -> None:
    templates = [RouteTemplate(text) for text in ("{*all}", "runs/{id}", "runs/{id:int}", "runs/latest")]

    ordered = [template.text for template in sorted(templates, key=lambda template: template.precedence)]

    assert ordered == ["runs/latest", "runs/{id:int}", "runs/{id}", "{*all}"]


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("datasets", "datasets"),
        ("datasets/a.csv/explain", "datasets/{*path}"),
        ("datasets/census/2026/a.csv/explain", "datasets/{*path}"),
        ("datasets/explain/census/a.csv", "datasets/explain/{*name}"),
    ],
)
def test_the_rest_of_a_path_may_hold_slashes(path: str, served: str) -> None:
    templates = [RouteTemplate(text) for text in ("datasets/{*path}", "datasets/explain/{*name}", "datasets")]

    ordered = sorted(templates, key=lambda template: template.precedence)

    assert next(template.text for template in ordered if template.match(path) is not None) == served
