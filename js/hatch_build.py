"""Build the JavaScript bundles and copy WWT's research app when a wheel, an sdist or an editable install is built.

A wheel also gets a bill of the materials that it carries, in ``.dist-info/sboms``.

An sdist carries both, so that installing from it needs neither Node nor pywwt.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # hatchling loads this file alone

import bundle
import research_app
import sbom


class BundleHook(BuildHookInterface):
    """Hook that builds the JavaScript and the bill of materials before the wheel."""

    def dependencies(self) -> list[str]:
        """Return what is missing: Node from PyPI to build the bundles, pip to download WWT's app."""
        node = [] if bundle.is_built() or bundle.find_node() else [bundle.NODE_PACKAGE]
        pip = [] if research_app.is_copied() or research_app.is_installed() else ["pip"]
        return node + pip

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build and copy what is not up to date."""
        bundle.build()
        if self.target_name == "wheel":
            build_data["sbom_files"].append(str(sbom.write(self.metadata.version)))


class ReadmeHook(MetadataHookInterface):
    """Hook that takes the README into the metadata, without pictures and links that are files of the repository."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description of the package."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        local = r"\[([^\]]*)\]\((?!https?:|#)[^)]*\)"
        tables_and_paragraphs = text.split("\n\n")
        text = "\n\n".join(part for part in tables_and_paragraphs if not re.search(f"!{local}", part))
        text = re.sub(local, r"\1", text)  # a link's words stay
        metadata["readme"] = {"text": text, "content-type": "text/markdown"}
