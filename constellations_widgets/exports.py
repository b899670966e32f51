"""Out again: a draft as WTML, as a FITS header, as a line for the shell, as Python."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import SourceError
from .schema.placement import is_tan, shown
from .sources.imagesets import wtml_of
from .sources.plane import padded, plane_of
from .state import write_file

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from .schema.images import ImageSubmission
    from .sources.local import LocalImage

TOKEN_VARIABLE = "CONSTELLATIONS_TOKEN"


class Exports:
    """What a draft can be written as."""

    if TYPE_CHECKING:
        values: Mapping[str, Any]
        name: str
        local: LocalImage | None

        def submission(self) -> ImageSubmission: ...

    def to_wtml(self, path: str | Path | None = None) -> str:
        """The draft as WTML, which `from_wtml` and WWT itself read: placement, addresses, note and credits.

        Rights other than credits and the alternative text have no place in WTML.

        Parameters
        ----------
        path : str or Path, optional
            A file to write it to, whole or not at all.

        Returns
        -------
        str
            The XML.

        Raises
        ------
        SourceError
            When the file can't be written, or a value holds characters that XML has no place for.
        """
        text = wtml_of(self.values, self.name)
        if path is not None:
            target = Path(path).expanduser()
            try:
                write_file(target, text.encode())
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise SourceError(f"The WTML can't be written to {shown(str(target), 200)}: {reason}") from None
        return text

    def to_wcs_header(self, size: tuple[int, int] | None = None) -> Header:
        """The placement as a FITS header: a TAN WCS whose pixels count from the lower left corner, as in FITS.

        Parameters
        ----------
        size : (int, int), optional
            Width and height in pixels of the image that was tiled, or of an untiled one. By default that of the image's own file,
            where it is known; for tiles all of those of the deepest level together, with their empty edges.

        Returns
        -------
        astropy.io.fits.Header
            Degrees and pixels; IMAGEW and IMAGEH where the size is known.

        Raises
        ------
        SourceError
            When the placement is not complete, or not on a plane (SkyImage and Tan are).
        """
        from astropy.io.fits import Header

        size = size or (self.local.size if self.local and not self.local.tiled else None)
        plane = plane_of(self.values, size)
        header = Header(plane.cards())
        if size is None and is_tan(self.values):
            size = padded(int(self.values["wwt.tile_levels"]))
        if size is not None:
            header["IMAGEW"], header["IMAGEH"] = size
        return header

    def to_curl(self, handle: str, api_url: str) -> str:
        """A line for the shell that publishes the draft: at once, for good, without a look at what is there already.

        `publish_draft` does the same with that look, a journal and a receipt: prefer it. The line holds no token: the shell takes it
        from the variable ``CONSTELLATIONS_TOKEN``.

        Parameters
        ----------
        handle : str
            Under which the image appears.
        api_url : str
            Address of the Constellations API.

        Raises
        ------
        DraftError
            When something stands in the way of publishing.
        """
        address = f"{str(api_url).rstrip('/')}/handle/{quote(handle, safe='')}/image"
        body = self.submission().to_json().decode()
        headers = f"""-H "Authorization: Bearer ${TOKEN_VARIABLE}" -H 'Content-Type: application/json'"""
        return f"curl --fail-with-body -X POST {shlex.quote(address)} {headers} --data-raw {shlex.quote(body)}"

    def to_python(self) -> str:
        """The Python that makes a draft with the same values."""
        lines = "".join(
            f"    {path!r}: {_literal(value)},\n" for path, value in self.values.items() if value is not None
        )
        return f"import constellations_widgets as cxw\n\ndraft = cxw.ImageDraft()\ndraft.update({{\n{lines}}})\n"


def _literal(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value if isinstance(value, bool | int | float | str) else str(value))
