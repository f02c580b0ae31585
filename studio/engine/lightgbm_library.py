"""
LightGBM's C library, loaded without its Python package.

Importing the package costs over a second and pulls in scipy; the library alone loads in milliseconds. Only the file
that the installed package brings along is used.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from studio.engine.errors import EngineError, LibraryMissing
from studio.engine.openmp import wait_briefly

FLOAT32 = 0  # C_API_DTYPE_FLOAT32
FLOAT64 = 1  # C_API_DTYPE_FLOAT64
NORMAL_PREDICTION = 0  # C_API_PREDICT_NORMAL: after the objective's link
LEAF_PREDICTION = 2  # C_API_PREDICT_LEAF_INDEX
ALL_ITERATIONS = -1

_INSTALL_OPENMP = (
    "LightGBM needs the OpenMP runtime; "
    "on Debian or Ubuntu run 'apt-get install libgomp1', on macOS 'brew install libomp'"
)


class LibraryError(EngineError):
    """LightGBM refused a call; the text is its own."""


@cache
def library() -> ctypes.CDLL:
    """
    Load the library once per process.

    Raises:
        LibraryMissing: The package is not installed, or the OpenMP runtime under it is not.
    """
    path = _library_path()
    wait_briefly()
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as problem:
        raise LibraryMissing(f"{_INSTALL_OPENMP} ({problem})") from problem
    loaded.LGBM_GetLastError.restype = ctypes.c_char_p
    return loaded


def check(return_code: int) -> None:
    """Raise the library's last error unless a call succeeded."""
    if return_code:
        raise LibraryError(f"LightGBM: {library().LGBM_GetLastError().decode(errors='replace')}")


def parameter_text(settings: dict[str, object]) -> bytes:
    """Write settings as the library reads them: `key=value` separated by blanks."""
    return " ".join(f"{key}={value}" for key, value in settings.items()).encode()


def _library_path() -> Path:
    spec = find_spec("lightgbm")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    found = [path for folder in folders for path in sorted(Path(folder, "lib").glob("lib_lightgbm.*"))]
    if not found:
        raise LibraryMissing("the package 'lightgbm' is not installed: run 'pip install -r studio/requirements.txt'")
    return found[0]
