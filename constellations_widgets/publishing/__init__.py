"""Publish exactly once: plan, journal, send, look when the outcome is unclear."""

from __future__ import annotations

from .attempts import Attempt, History
from .journal import Journal, history
from .plan import Plan, Step, plan
from .reconcile import settle, unsettled
from .submit import publish_draft, publish_planned

__all__ = [
    "Attempt",
    "History",
    "Journal",
    "Plan",
    "Step",
    "history",
    "plan",
    "publish_draft",
    "publish_planned",
    "settle",
    "unsettled",
]
