"""Clients of the services."""

from __future__ import annotations

from .constellations import Constellations
from .images.client import ImagesClient
from .retries import Retries

__all__ = ["Constellations", "ImagesClient", "Retries"]
