"""The sections `arriving` and `batching`: how files are taken in, and which train together."""

from __future__ import annotations

from datetime import timedelta

from shared.declarations.section import Section
from shared.domain.data.waiting import Arriving, Batching

_YEAR_MIN = 525_600


def read_arriving(section: Section) -> Arriving:
    """Read how files are taken in; what is not given keeps its default."""
    plain = Arriving()
    arriving = Arriving(
        quiet=timedelta(seconds=section.number("quiet_s", plain.quiet.total_seconds(), 0, 86_400)),
        overdue=timedelta(minutes=section.number("overdue_min", plain.overdue.total_seconds() / 60, 1, _YEAR_MIN)),
    )
    section.close()
    return arriving


def read_batching(model: Section) -> Batching | None:
    """Read the window of a model whose files train together; None where each file trains alone."""
    if not model.table("batching", {}):
        return None
    section = model.section("batching")
    batching = Batching(
        max_wait=timedelta(minutes=section.number("max_wait_min", None, 0.01, _YEAR_MIN)),
        min_rows=section.integer("min_rows", 0, 0),
        marker=section.text("marker", ""),
    )
    if "/" in batching.marker:
        section.wrong("marker", f"names a blob in any folder, without '/', got '{batching.marker}'")
    if model.text("schedule", ""):
        model.wrong("batching", "a model has a window or a schedule, not both; remove one of them")
    section.close()
    return batching
