"""The table that a soak ends with."""

from __future__ import annotations

from tests.soak.soaking import Outcome, Plan


def as_table(plan: Plan, outcome: Outcome) -> str:
    """Write faults by kind and the balance as Markdown."""
    balance = outcome.balance
    faults = [*sorted(outcome.injected.items()), ("requests through the proxy", outcome.requests)]
    rows = [
        ("files", balance.files),
        ("trained", balance.trained),
        ("evaluations announced", outcome.announced),
        *((f"runs {state}", count) for state, count in sorted(balance.runs.items())),
        *((f"files {state}", count) for state, count in sorted(balance.datasets.items())),
        ("**lost**", len(balance.lost)),
        ("**doubled**", len(balance.doubled)),
        ("**wrong champion**", len(balance.wrong)),
        ("**broken chain of decisions**", len(balance.broken)),
    ]
    troubles = [f"- {line}" for line in balance.troubles][:20]
    if balance.files < plan.files:
        troubles.insert(0, f"- time was over: {balance.files} of {plan.files} files were dropped")
    lines = [
        f"{plan.files} files over {plan.models} models, seed {plan.seed}, {outcome.seconds:.0f} s.",
        "",
        *_table("fault", faults),
        "",
        *_table("outcome", rows),
        *troubles,
    ]
    return "\n".join(lines)


def _table(title: str, rows: list[tuple[str, int]]) -> list[str]:
    return [f"| {title} | count |", "| --- | ---: |", *(f"| {name} | {count:,} |" for name, count in rows)]
