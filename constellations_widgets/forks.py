"""Reset locks and connections in forked child processes.

A child must not keep locks that other threads of the parent held, nor the parent's connections.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewed(Protocol):
    """An object that must be reset in a forked child."""

    def renew(self) -> None:
        """Reset the object; called in the child before anything else runs there."""


_renewed: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renew_in_children(thing: Renewed) -> None:
    """Reset `thing` in each forked child, as long as it lives."""
    _renewed.add(thing)


def _renew_all() -> None:
    for thing in list(_renewed):
        thing.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_all)
