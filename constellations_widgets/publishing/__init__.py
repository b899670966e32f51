"""Publish exactly once: plan, journal, send, look when the outcome is unclear; one draft or many."""

from __future__ import annotations

from .all_at_once import publish_all
from .attempts import Attempt, History
from .batch import Batch
from .journal import Journal, history
from .plan import Plan, Step, plan
from .reconcile import left_open, settle, settle_all, unsettled
from .scene import publish_scene, scene_of, send_scene
from .shared_fields import SharedFields
from .submit import publish_draft, publish_planned

__all__ = [
    "Attempt",
    "Batch",
    "History",
    "Journal",
    "Plan",
    "SharedFields",
    "Step",
    "history",
    "left_open",
    "plan",
    "publish_all",
    "publish_draft",
    "publish_planned",
    "publish_scene",
    "scene_of",
    "send_scene",
    "settle",
    "settle_all",
    "unsettled",
]
