"""Builds the JavaScript bundles when a wheel, an sdist or an editable install is built.

An sdist carries the built bundles, so that installing from it needs no Node.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # hatchling loads this file alone

import bundle


class BundleHook(BuildHookInterface):
    """Hook that builds the JavaScript before the wheel."""

    def dependencies(self) -> list[str]:
        """Return Node from PyPI if something has to be built and the machine has no Node for it."""
        return [] if bundle.is_built() or bundle.find_node() else [bundle.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundles unless they are up to date."""
        bundle.build()
