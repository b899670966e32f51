"""Publish exactly once, one draft or many: plan, journal, send, and reconcile if the outcome is unclear."""

from __future__ import annotations

from .all_at_once import publish_all, publish_plan
from .attempts import Attempt, History
from .batch import Batch
from .journal import Journal, history
from .plan import Plan, Step, plan
from .reconcile import pending_attempts, settle_all, unsettled
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
    "pending_attempts",
    "plan",
    "publish_all",
    "publish_draft",
    "publish_plan",
    "publish_planned",
    "publish_scene",
    "scene_of",
    "send_scene",
    "settle_all",
    "unsettled",
]
