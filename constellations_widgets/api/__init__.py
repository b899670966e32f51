"""Clients of the services. httpx is touched in this folder only."""

from __future__ import annotations

from .constellations import Constellations
from .credentials import Credentials
from .library.client import ImagesClient
from .retries import Retries
from .signing_in.sign_in import sign_in, sign_out

__all__ = ["Constellations", "Credentials", "ImagesClient", "Retries", "sign_in", "sign_out"]
