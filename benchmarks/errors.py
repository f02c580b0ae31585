"""The one error that the benchmarks show to a person."""

from __future__ import annotations


class BenchError(Exception):
    """Something that this machine or the caller must put right, or a result that is wrong; the text says what."""
