"""What a child that this process forks must not go on with: locks that other threads held, and the parent's connections."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewed(Protocol):
    """Has to begin anew in a child."""

    def renew(self) -> None:
        """Called in the child, before anything else runs there."""


_renewed: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renew_in_children(thing: Renewed) -> None:
    """Let `thing` begin anew in each child that is forked, as long as it lives."""
    _renewed.add(thing)


def _renew_all() -> None:
    for thing in list(_renewed):
        thing.renew()


if hasattr(os, "register_at_fork"):  # Windows forks nothing
    os.register_at_fork(after_in_child=_renew_all)
