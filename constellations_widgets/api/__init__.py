"""Clients of the services. httpx is touched in this folder only."""

from __future__ import annotations

from .constellations import Constellations
from .credentials import Credentials, sign_in
from .retries import Retries

__all__ = ["Constellations", "Credentials", "Retries", "sign_in"]
