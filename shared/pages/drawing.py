"""The plotting library, without the finder for map plug-ins that it leaves: Python 3.11 warns of it at every import."""

from __future__ import annotations

import sys

import pygal
from pygal.style import Style

sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

__all__ = ["Style", "pygal"]
