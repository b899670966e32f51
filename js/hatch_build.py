"""Build the JavaScript bundles and copy WWT's research app when a wheel, an sdist or an editable install is built.

An sdist carries both, so that installing from it needs neither Node nor pywwt.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # hatchling loads this file alone

import bundle
import research_app


class BundleHook(BuildHookInterface):
    """Hook that builds the JavaScript before the wheel."""

    def dependencies(self) -> list[str]:
        """Return what is missing: Node from PyPI to build the bundles, pip to download WWT's app."""
        node = [] if bundle.is_built() or bundle.find_node() else [bundle.NODE_PACKAGE]
        pip = [] if research_app.is_copied() or research_app.is_installed() else ["pip"]
        return node + pip

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build and copy what is not up to date."""
        bundle.build()
