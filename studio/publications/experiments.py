"""Published declarations, parsed once per process: they are kept by digest and never change."""

from __future__ import annotations

from functools import lru_cache

from studio.engine.experiment import Experiment, parse_experiment
from studio.store.artifacts import ArtifactKind, Artifacts

_KEPT = 256


class Experiments:
    """Finds a declaration by its digest."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._parsed = lru_cache(_KEPT)(self._read)

    def get(self, digest: str) -> Experiment:
        """Return a declaration; ArtifactMissing when storage no longer holds it."""
        return self._parsed(digest)

    def _read(self, digest: str) -> Experiment:
        text = self._artifacts.get(ArtifactKind.EXPERIMENT, digest).decode()
        return parse_experiment(text, f"experiment {digest[:12]}")
