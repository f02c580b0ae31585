"""The report as Markdown of at most 60 lines, for a chat or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.pages.wording import count, found, mark, number, percent, seconds, signed, verdict_line

LINES = 60
_RULES, _METRICS, _PARTS, _FILES, _CLASSES, _COLUMNS = 14, 8, 8, 6, 6, 10
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#!~])")

Json = Mapping[str, Any]


def report_markdown(report: Json) -> str:
    """Render the document; every value of it is escaped."""
    lines = [*_head(report), *_rules(report["rules"]), *_metrics(report), *_rows(report), *_foot(report)]
    return "\n".join(lines[:LINES]) + "\n"


def escaped(text: str) -> str:
    """Keep a text from being read as Markdown or HTML, and on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _head(report: Json) -> Iterator[str]:
    verdict, run = report["verdict"], report["run"]
    unpaired = " (UNPAIRED)" if verdict["unpaired"] else ""
    yield f"# {escaped(verdict['state'])}{unpaired}: {escaped(run['model'])}"
    yield ""
    yield f"**{escaped(verdict_line(report))}** {escaped(verdict['reason'])}"
    yield ""
    against = f", against champion `{verdict['against']}`" if verdict["against"] else ""
    yield f"Run `{run['id']}`{against}."
    if verdict["undo"]:
        commands = " or ".join(f"`{command}`" for command in verdict["undo"])
        yield f"{'To undo it' if verdict['state'] == 'PROMOTED' else 'To decide'}: {commands}"


def _rules(rules: list[Json]) -> Iterator[str]:
    if not rules:
        return
    yield from ("", "| | rule | found | bound | left |", "| --- | --- | ---: | ---: | ---: |")
    for rule in rules[:_RULES]:
        cells = (
            mark(rule)[0],
            escaped(rule["rule"]),
            found(rule),
            number(rule["bound"]),
            signed(rule["left"]),
        )
        yield f"| {' | '.join(cells)} |"
    if len(rules) > _RULES:
        yield f"| | … and {len(rules) - _RULES} more | | | |"


def _metrics(report: Json) -> Iterator[str]:
    if not report["metrics"]:
        return
    yield from ("", "| metric | champion | challenger | gain | interval |", "| --- | ---: | ---: | ---: | ---: |")
    for metric in report["metrics"][:_METRICS]:
        arrow, judged = "↑" if metric["higher_is_better"] else "↓", "" if metric["judged"] else " (shown only)"
        name = f"{metric['name']} {arrow}{judged}"
        values = (number(metric["champion"]), number(metric["challenger"]), signed(metric["gain"]))
        yield f"| {name} | {' | '.join(values)} | {signed(metric['lower'])} … {signed(metric['upper'])} |"


def _rows(report: Json) -> Iterator[str]:
    apart = report["disagreement"]
    if apart:
        share = percent(apart["n_differ"] / apart["n_rows"])
        better, worse = count(apart["n_better"]), count(apart["n_worse"])
        yield ""
        yield f"{count(apart['n_rows'])} holdout rows; {share} get another answer: {better} better, {worse} worse."
    parts = [*report["slices"], *report["comparisons"]]
    for part in parts[:_PARTS]:
        interval = f"{signed(part['lower'])} … {signed(part['upper'])} on {count(part['n_rows'])} rows"
        yield f"- {escaped(part['name'])}: gain {signed(part['gain'])}, {interval}, {part['state']}"
    if len(parts) > _PARTS:
        yield f"- … and {len(parts) - _PARTS} more parts"


def _foot(report: Json) -> Iterator[str]:
    yield ""
    for file in report["data"][:_FILES]:
        yield f"- {escaped(file['name'])}: {count(file['rows'])} rows, SHA-256 `{(file['sha256'] or '')[:16]}`"
    if len(report["data"]) > _FILES:
        yield f"- … and {len(report['data']) - _FILES} more files"
    if report["columns"]:
        yield f"- columns other than the champion's: {_columns(report['columns'])}"
    if report["label"] and report["label"]["kind"] == "share":
        shares = (f"{escaped(row['name'])} {percent(row['training'])}" for row in report["label"]["rows"][:_CLASSES])
        yield f"- label {escaped(report['label']['column'])}: {', '.join(shares)}"
    if report["output2"]:
        shown = (f"{escaped(row['metric'])} {number(row['value'])}" for row in report["output2"][:_METRICS])
        yield f"- output2: {', '.join(shown)}"
    yield f"- {_cost(report['cost'])}"
    source = report["provenance"]
    code = (escaped(source[key] or "unknown") for key in ("app_version", "service_version"))
    yield "- code: app {}, service {}".format(*code)
    rule, holdout = (f"`{source[key][:16]}`" if source[key] else "none" for key in ("rule_sha256", "holdout_sha256"))
    yield f"- rule {rule}, holdout {holdout}, job `{source['job_id'] or 'none'}`"


def _columns(changed: list[Json]) -> str:
    told = (f"{escaped(row['column'])} ({row['was'] or 'not there'} → {row['is'] or 'not there'})" for row in changed)
    more = f", … and {len(changed) - _COLUMNS} more" if len(changed) > _COLUMNS else ""
    return ", ".join(list(told)[:_COLUMNS]) + more


def _cost(cost: Json) -> str:
    if cost["training_seconds"] is None:
        return "nothing trained"
    price = "" if cost["amount"] is None else f", {number(cost['amount'])} {escaped(cost['currency'])}"
    return f"{seconds(cost['training_seconds'])} of training{price}"
