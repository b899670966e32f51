"""What every source gives: values for a draft, and what has to be said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .local import LocalImage


@dataclass(frozen=True)
class Suggestion:
    """A value that a source offers for a field which it must not fill without asking; None where it only has words for it."""

    field: str
    value: str | None
    words: str


@dataclass(frozen=True)
class Reading:
    """One image, as a source describes it.

    Attributes
    ----------
    values : mapping of str to object
        Flat values of a draft (``wwt.rotation`` → 12.5), as far as the source gives them.
    name : str
        What people call the image.
    origin : str
        Where it was read, for people and to find earlier edits of the same image again.
    local : LocalImage or None
        The image's own files, when they lie on this machine's disk.
    remarks : tuple of str
        What the source said that can't be kept, or can't be trusted.
    suggestions : tuple of Suggestion
        What the user may take over.
    """

    values: Mapping[str, Any]
    name: str = ""
    origin: str = ""
    local: LocalImage | None = None
    remarks: tuple[str, ...] = field(default=())
    suggestions: tuple[Suggestion, ...] = field(default=())
