"""Publish exactly once: plan, journal, send, look when the outcome is unclear; one draft or many."""

from __future__ import annotations

from .attempts import Attempt, History
from .batch import Batch, publish_all
from .journal import Journal, history
from .plan import Plan, Step, plan
from .reconcile import settle, unsettled
from .submit import publish_draft, publish_planned

__all__ = [
    "Attempt",
    "Batch",
    "History",
    "Journal",
    "Plan",
    "Step",
    "history",
    "plan",
    "publish_all",
    "publish_draft",
    "publish_planned",
    "settle",
    "unsettled",
]
