"""
Use cases: each loads, asks the domain, acts, and saves on the condition that nobody moved first.

Intent is saved before its effect, and every effect may be repeated, so a worker may die at any instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
