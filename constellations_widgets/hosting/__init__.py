"""Upload an image's files to a public address, and verify them as a stranger's browser would load them."""

from __future__ import annotations

from ..outcomes import Outcome
from .address_check import AddressCheck, check_address
from .host import Hosted, host
from .many import host_all, tile_all
from .profiles import HostingProfile, hosting_profiles, save_hosting_profile
from .progress import HostingProgress

__all__ = [
    "AddressCheck",
    "Hosted",
    "HostingProfile",
    "HostingProgress",
    "Outcome",
    "check_address",
    "host",
    "host_all",
    "hosting_profiles",
    "save_hosting_profile",
    "tile_all",
]
