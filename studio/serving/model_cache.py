"""
Models of this process: every one that is served as a file beside it, those in use loaded, within a bound of memory.

A model that was not asked for longest makes room first and is loaded again from its file when it is asked for, without
storage. Memory is estimated from the file: what a loaded model takes is `_LOADED_PER_BYTE` times its packed bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from studio.engine.scorer import Scorer
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts

_LOADED_PER_BYTE = 6  # measured: 100 trees of 20 leaves, 94 kB packed, take 480 kB
_FETCHED_AT_ONCE = 8


@dataclass(frozen=True)
class _Loaded:
    scorer: Scorer
    n_bytes: int


class ModelCache:
    """
    Finds scorers by digest; may be used from any thread.

    Args:
        memory_bytes: What loaded models may take together; one model is kept loaded whatever it takes.
    """

    def __init__(self, artifacts: Artifacts, memory_bytes: int) -> None:
        self._artifacts = artifacts
        self._memory_bytes = memory_bytes
        self._folder = Path(tempfile.mkdtemp(prefix="studio-models-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._lock = threading.Lock()
        self._files: set[str] = set()
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._used_bytes = 0

    @property
    def n_loaded(self) -> int:
        """How many models are loaded at present."""
        return len(self._loaded)

    def has(self, digest: str) -> bool:
        """Whether a model can be loaded without storage."""
        return digest in self._files

    def fetch(self, digests: Iterable[str]) -> Mapping[str, Exception]:
        """
        Bring models beside this process, several at once; those that are there already cost nothing.

        Returns:
            Why, for each one that storage does not hold whole.
        """
        wanted = [digest for digest in digests if digest not in self._files]
        if not wanted:
            return {}
        with ThreadPoolExecutor(min(_FETCHED_AT_ONCE, len(wanted))) as pool:
            problems = dict(zip(wanted, pool.map(self._fetch, wanted), strict=True))
        return {digest: problem for digest, problem in problems.items() if problem is not None}

    def loaded(self, digest: str) -> Scorer | None:
        """Return a model that is loaded, which so is the last to make room; None for any other."""
        loaded = self._loaded.get(digest)
        if loaded is None:
            return None
        try:  # noqa: SIM105 - on the way of every request
            self._loaded.move_to_end(digest)
        except KeyError:  # it made room in another thread just now
            pass
        return loaded.scorer

    def load(self, digest: str) -> Scorer:
        """
        Return a model that was fetched, loading it unless it is loaded.

        Raises:
            ArtifactMissing: Its file is gone or was altered.
            EngineError: It is no model that this version can score with.
        """
        scorer = self.loaded(digest)
        if scorer is None:
            data = self._read(digest)
            scorer = Scorer.load(data)
            self._keep(digest, _Loaded(scorer, len(data) * _LOADED_PER_BYTE))
        return scorer

    def forget_all_but(self, digests: set[str]) -> None:
        """Drop models, loaded or not, that nobody serves any more."""
        for digest in self._files - digests:
            self._files.discard(digest)
            self._path(digest).unlink(missing_ok=True)
        with self._lock:
            for digest in self._loaded.keys() - digests:
                self._used_bytes -= self._loaded.pop(digest).n_bytes

    def _fetch(self, digest: str) -> Exception | None:
        try:
            data = self._artifacts.get(ArtifactKind.MODEL, digest)
        except ArtifactMissing as problem:
            return problem
        self._path(digest).write_bytes(data)
        self._files.add(digest)
        return None

    def _read(self, digest: str) -> bytes:
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise ArtifactMissing(ArtifactKind.MODEL, digest) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise ArtifactMissing(ArtifactKind.MODEL, digest)
        return data

    def _keep(self, digest: str, loaded: _Loaded) -> None:
        with self._lock:
            if digest in self._loaded:  # another thread was quicker
                return
            self._loaded[digest] = loaded
            self._used_bytes += loaded.n_bytes
            while self._used_bytes > self._memory_bytes and len(self._loaded) > 1:
                self._used_bytes -= self._loaded.popitem(last=False)[1].n_bytes

    def _path(self, digest: str) -> Path:
        return self._folder / digest
