"""Export a draft as WTML, a FITS header, a curl command or Python code."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import SourceError
from ..geometry.plane import check_size, padded, plane_of, width_factor_of
from ..schema.placement import is_tan, shown
from ..sources.imagesets import DOUBTED_SIZE
from ..sources.reading import inaccuracy_in
from ..state import PUBLIC, user_path, write_file
from ..wtml import Notes, export_collection, export_wtml

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from ..checks import Problem
    from ..schema.images import ImageSubmission
    from ..sources.local import LocalImage

TOKEN_VARIABLE = "CONSTELLATIONS_TOKEN"
_KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}


class Exports:
    """Mixin that exports a draft."""

    if TYPE_CHECKING:

        @property
        def values(self) -> dict[str, Any]:
            """A copy of all values as typed, by path."""
            ...

        @property
        def name(self) -> str:
            """The name of the image for people."""
            ...

        @property
        def local(self) -> LocalImage | None:
            """The image's own files, if they are on this machine's disk."""
            ...

        @property
        def problems(self) -> list[Problem]:
            """Problems that the checks find."""
            ...

        def submission(self) -> ImageSubmission:
            """Return the validated request body."""
            ...

    def to_wtml(self, path: str | Path | None = None) -> str:
        """Return the draft as WTML, for `from_wtml` and WWT: placement, addresses, note and credits.

        Rights other than credits and the alternative text have no place in WTML.

        Parameters
        ----------
        path : str or Path, optional
            A file to write it to, atomically.

        Returns
        -------
        str
            The XML.

        Raises
        ------
        SourceError
            If the file can't be written, or a value holds characters that are invalid in XML.
        """
        text = export_wtml(self.values, self.name, notes_of(self))
        if path is not None:
            write_output(user_path(path), text.encode("utf-8", "replace"), "WTML")
        return text

    def to_avm(self, path: str | Path, source: str | Path | None = None) -> Path:
        """Write a copy of the image's file with placement, title, credit line and rights as AVM metadata.

        Pixels and other metadata stay as they are; an earlier XMP packet is replaced.

        Parameters
        ----------
        path : str or Path
            The file to write, atomically: of the same kind as the image, JPEG, PNG or TIFF.
        source : str or Path, optional
            The image, if the draft has tiles or no file: the picture that was tiled, in the same size. By default the draft's own file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SourceError
            If there is no such image, it is not the one that the draft's tiles show, the placement is incomplete or not on a plane, or
            the file can't be written.

        Examples
        --------
        >>> draft.to_avm("m51-avm.jpg")
        """
        from ..sources.large_picture import size_of
        from ..sources.local import LocalImage
        from .avm_writer import with_avm
        from .tiled_picture import plane_in_picture

        target, own = user_path(path), self.local
        local = own
        if source is not None:
            file = user_path(source).absolute()
            local = LocalImage(file.parent, quote(file.name))
        if local is None or local.tiled or local.fits:
            raise SourceError(f"{self.name!r} is no single JPEG, PNG or TIFF file: name the picture with source=")
        what = local.where(local.top).name
        if _KINDS.get(target.suffix.lower()) != _KINDS.get(Path(what).suffix.lower()):
            raise SourceError(f"{shown(target.name)} must be a file of the same kind as {shown(what)}")
        try:
            content, size = local.read(local.top), size_of(local)
        except OSError as error:
            raise SourceError(f"{shown(what)} can't be read: {getattr(error, 'strerror', None) or error}") from None
        plane = plane_in_picture(self.values, local, size, own)
        write_output(target, with_avm(content, what, size, plane, self.values), "picture")
        return target

    def to_wcs_header(self, size: tuple[int, int] | None = None) -> Header:
        """Return the placement as a FITS header: a TAN WCS whose pixels count from the lower left corner.

        Parameters
        ----------
        size : (int, int), optional
            Width and height in pixels of the image that was tiled, or of an untiled one. By default that of the image's own file,
            where it is known; for tiles all of those of the deepest level together, with their empty edges.

        Returns
        -------
        astropy.io.fits.Header
            Degrees and pixels, of the picture as the tiles show it: a mirrored one was turned upside down for them; IMAGEW and IMAGEH where the size is known.

        Raises
        ------
        SourceError
            If the placement is incomplete, or not on a plane (SkyImage and Tan are), or tiles of an image of that size have other levels.
        """
        from astropy.io.fits import Header

        size = size or (self.local.size if self.local and not self.local.tiled else None)
        plane = plane_of(self.values, size)
        if size is not None:
            check_size(self.values, size, "size=")
        header = Header(plane.cards())
        if size is None and is_tan(self.values):
            size = padded(int(self.values["wwt.tile_levels"]), width_factor_of(self.values))
        if size is not None:
            header["IMAGEW"], header["IMAGEH"] = size
        return header

    def to_curl(self, handle: str, api_url: str) -> str:
        """Return a curl command that publishes the draft immediately and permanently, without checking for duplicates.

        `publish_draft` checks for duplicates and keeps a journal and a receipt: prefer it. The command holds no
        token: the shell takes it from the variable ``CONSTELLATIONS_TOKEN``.

        Parameters
        ----------
        handle : str
            Handle under which the image is published.
        api_url : str
            Address of the Constellations API.

        Raises
        ------
        DraftError
            If the draft has errors.
        """
        address = f"{str(api_url).rstrip('/')}/handle/{quote(handle.strip().removeprefix('@'), safe='')}/image"
        body = self.submission().to_json().decode()
        headers = f"""-H "Authorization: Bearer ${TOKEN_VARIABLE}" -H 'Content-Type: application/json'"""
        return f"curl --fail-with-body -X POST {shlex.quote(address)} {headers} --data-raw {shlex.quote(body)}"

    def to_python(self) -> str:
        """Return Python code that makes a draft with the same values."""
        lines = "".join(
            f"    {path!r}: {_literal(value)},\n" for path, value in self.values.items() if value is not None
        )
        return f"import constellations_widgets as cxw\n\ndraft = cxw.ImageDraft()\ndraft.update({{\n{lines}}})\n"


def to_wtml(drafts: Iterable[Exports], path: str | Path | None = None, name: str = "Images") -> str:
    """Return drafts as one WTML collection, in their order, for `ImageDraft.all_from_wtml` and WWT.

    Parameters
    ----------
    drafts : iterable of ImageDraft
        The images.
    path : str or Path, optional
        A file to write it to, atomically.
    name : str, default "Images"
        Name of the collection.

    Returns
    -------
    str
        The XML.

    Raises
    ------
    SourceError
        If the file can't be written.

    Examples
    --------
    >>> cxw.to_wtml(drafts, "survey.wtml", name="My survey")
    """
    images = [(draft.values, draft.name, notes_of(draft)) for draft in drafts]
    text = export_collection(images, name)
    if path is not None:
        write_output(user_path(path), text.encode("utf-8", "replace"), "WTML")
    return text


def notes_of(draft: Exports) -> Notes:
    """Return what the WTML of a draft says about its placement."""
    problems = draft.problems
    return Notes(DOUBTED_SIZE not in {problem.code for problem in problems}, (), inaccuracy_in(problems))


def write_output(target: Path, content: bytes, what: str) -> None:
    """Write a file for users, atomically. Raises SourceError, which calls the file `what`, if it can't be written."""
    try:
        write_file(target, content, mode=PUBLIC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"The {what} can't be written to {shown(str(target), 200)}: {reason}") from None


def _literal(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value if isinstance(value, bool | int | float | str) else str(value))
