"""The record of an image in the library, as the Images API spells it in two ways."""

from __future__ import annotations

import re

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

_LONGEST_ID = 200  # characters; it becomes part of an address
_HALVES = re.compile("[\ud800-\udfff]")  # of characters, which no address can hold


class LibraryImage(BaseModel):
    """An image of the library.

    Attributes
    ----------
    id : str
        What the list calls ``image_uuid``, and the answer to an upload ``uuid``.
    name : str
        What the list calls ``name``, and the answer to an upload ``filename``. Any text: nothing to build a path with.
    url : str
        Where the server says the image is; "" where it does not say. Whether others can see it there is the server's
        affair.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(validation_alias=AliasChoices("image_uuid", "uuid"), min_length=1, max_length=_LONGEST_ID)
    name: str = Field(validation_alias=AliasChoices("name", "filename"))
    url: str = ""

    @field_validator("id")
    @classmethod
    def _fits_into_an_address(cls, id: str) -> str:
        if not is_library_id(id):
            raise ValueError("is no id")
        return id

    def __str__(self) -> str:
        return self.name


def is_library_id(id: object) -> bool:
    """Whether `id` can be that of an image: text that is a part of an address, and not the way to another one."""
    return isinstance(id, str) and 0 < len(id) <= _LONGEST_ID and id.strip(".") != "" and not _HALVES.search(id)
