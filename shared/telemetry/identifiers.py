"""Identifiers of a run's trace, derived from the run's id: whoever knows the run knows its trace. W3C Trace Context."""

from __future__ import annotations

import hashlib


def trace_id_of(run_id: str) -> int:
    """Return the 128 bits that all spans of a run share."""
    return int.from_bytes(hashlib.sha256(f"trace:{run_id}".encode()).digest()[:16], "big") or 1


def root_span_id_of(run_id: str) -> int:
    """Return the 64 bits of the span that is the run itself; it is recorded when the run ends."""
    return int.from_bytes(hashlib.sha256(f"run:{run_id}".encode()).digest()[:8], "big") or 1


def traceparent_of(run_id: str, span_id: int = 0) -> str:
    """Return the header that makes a call part of the run's trace; below the run itself when no span is given."""
    return f"00-{trace_id_of(run_id):032x}-{span_id or root_span_id_of(run_id):016x}-01"
