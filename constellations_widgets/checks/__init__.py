"""Named rules over a draft's plain values. Anything that needs a network belongs to the plan in `publishing`."""

from __future__ import annotations

from . import address, description, placement, rights, types_and_limits  # noqa: F401  (each registers its rules)
from .registry import (
    ERROR,
    IMAGE_FILE,
    IMAGE_SIZE,
    INFO,
    RULES,
    UNSAVED,
    WARNING,
    Fix,
    Problem,
    Rule,
    by_severity,
    rule,
    run,
)

__all__ = [
    "ERROR",
    "IMAGE_FILE",
    "IMAGE_SIZE",
    "INFO",
    "RULES",
    "UNSAVED",
    "WARNING",
    "Fix",
    "Problem",
    "Rule",
    "by_severity",
    "rule",
    "run",
]
