"""Targets saved by name, without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..auth.credentials import Secret
from ..errors import HostingError
from ..interface import in_terms
from ..state import state_dir, write_json

_SECRET = re.compile(r"secret|password|passphrase|token|key(?!_id$)|sas|credential", re.IGNORECASE)


def concealed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of a service whose keys and passwords no traceback shows."""
    return {
        name: Secret(value) if isinstance(value, str) and _SECRET.search(name) else value
        for name, value in settings.items()
    }


def address_fault(target: str) -> str:
    """Return why an address cannot be a target, as a predicate that shows nothing secret; "" if it can, and for a folder."""
    if "://" not in target:
        return ""
    try:
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        return "is not a valid address: correct the server's name or port"
    if parts.password:
        way = in_terms(
            'pass it as credentials={"password": …}, or set it in the environment',
            "set it in the environment",
            "enter it in its own field, or set it in the environment",
        )
        return f"holds a password in the address: {way}"
    if parts.query or parts.fragment:
        way = in_terms("pass keys as credentials=", "set keys in the environment", "enter keys in their own fields")
        return f"has a query or fragment, which may hold a key: {way}, and write ? and # in names as %3F and %23"
    if not parts.netloc and parts.scheme not in ("git", "file"):
        return f"names no bucket or server: write {parts.scheme}://name/folder"
    return ""


@dataclass(frozen=True)
class HostingProfile:
    """A target with a name, for `host`.

    Attributes
    ----------
    name : str
        Name of the profile.
    target : str
        A folder or an address, as `host` takes it.
    public_url : str
        The address under which browsers find the files; "" if it follows from the target.
    options : dict
        Settings of the service, such as ``endpoint``, ``region`` or ``profile``; never a key or a password.

    Examples
    --------
    >>> cxw.host(draft, cxw.hosting_profiles()["group"])  # doctest: +SKIP
    """

    name: str
    target: str
    public_url: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def save_hosting_profile(name: str, target: str, public_url: str = "", **options: Any) -> HostingProfile:
    """Save a target under a name.

    Parameters
    ----------
    name : str
        Name of the profile; an existing one is replaced.
    target, public_url : str
        As for `host`.
    **options
        Settings of the service, such as ``endpoint="https://…"``, ``region="eu-central-1"``, ``profile="lab"``. Keys and
        passwords are refused: they belong into the environment, or into the service's own files.

    Returns
    -------
    HostingProfile

    Raises
    ------
    HostingError
        If there is no name, an option or an address holds a secret, or the file cannot be written.

    Examples
    --------
    >>> cxw.save_hosting_profile("group", "s3://my-bucket/images")
    """
    if not isinstance(name, str) or not name.strip():
        raise HostingError("A profile needs a name")
    if secret := next((each for each in options if _SECRET.search(each)), None):
        raise HostingError(
            f"A profile may not hold {secret}=: profiles are plain files. Set it in the environment, or pass credentials= to host()"
        )
    for what, address in (("target=", str(target)), ("public_url=", public_url)):
        if fault := address_fault(address):
            raise HostingError(f"{what} {fault}")
    profile = HostingProfile(name, str(target), public_url, options)
    try:
        write_json(
            state_dir() / "hosting.json", {n: asdict(p) for n, p in (hosting_profiles() | {name: profile}).items()}
        )
    except (OSError, TypeError) as error:
        raise HostingError(f"The profile {name!r} cannot be saved: {error}") from None
    return profile


def hosting_profiles() -> dict[str, HostingProfile]:
    """Return the saved profiles by name.

    Raises
    ------
    HostingError
        If their file cannot be read.

    Examples
    --------
    >>> sorted(cxw.hosting_profiles())
    """
    path = state_dir() / "hosting.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        return {name: HostingProfile(**entry) for name, entry in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HostingError(
            f"The hosting profiles in {path} cannot be read: {error}. Correct or remove the file"
        ) from None
