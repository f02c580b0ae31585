"""The section `limits`: what a model may ask of its training service."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.lifecycle.limits import Limits


def read_limits(section: Section) -> Limits:
    """Read the limits; 0, or no value, is no limit."""

    def count(key: str) -> int | None:
        number = section.take(key, int, 0)
        if number < 0:
            section.wrong(key, f"expected a whole number from 0 (no limit), got {number}")
        return number or None

    limits = Limits(runs_per_day=count("runs_per_day"), concurrent_jobs=count("concurrent_jobs"))
    section.close()
    return limits
