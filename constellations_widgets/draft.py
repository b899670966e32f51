"""The draft: the one shared state that all widgets show and change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .autosave import Autosave, first_readable, folder_of, read_draft_file, saved_files, to_json, unsaved_reason
from .checks import ERROR, INFO, UNSAVED, WARNING, Fix, Problem
from .errors import DraftError, PublishError, SourceError, needs_package
from .observable import CheckedFields
from .outputs.exports import Exports
from .schema.fields import fields, flatten, nest
from .sources.reading import ParsedImage, image_of, inaccuracy, inaccuracy_in, saved_doubts, values_for
from .state import state_dir, user_path, write_json
from .text import readable

if TYPE_CHECKING:
    from .schema.images import ImageSubmission
    from .schema.records import ImageRecord
    from .solving.solution import Solution
    from .sources.local import LocalImage
    from .sources.reading import Doubt, Suggestion


class ImageDraft(Exports, CheckedFields):
    """An image that is not published yet: its values as typed, their problems, and finally a submission.

    ``draft.wwt.rotation = 12.5``, ``draft.permissions.license = "cc-by-4.0"``, ``draft.note = "M 51"``: attributes are the API's fields and may
    be observed as traits are (``draft.wwt.observe(f, "rotation")``, ``ipywidgets.link``). Widgets on the draft follow at once.

    Parameters
    ----------
    reading : ParsedImage, optional
        Image read by a source. Default: an empty draft.
    autosave : bool, default True
        Whether the draft writes itself to the user's state directory while it is edited (never a secret, mode 0600).

    Attributes
    ----------
    wwt, permissions, storage : FieldGroup
        The API's fields. Units are those of the API: see `schema.images`.
    name : str
        The name of the image for people.
    local : LocalImage or None
        The image's own files, if they are on this machine's disk; the preview shows these.
    receipt : Receipt or None
        Set once the draft was published.

    Examples
    --------
    >>> draft = cxw.ImageDraft.from_fits("m51.fits")
    >>> draft.wwt.rotation = 12.5
    >>> draft.permissions.license = "cc-by-4.0"
    >>> draft.permissions.license
    'CC-BY-4.0'
    >>> draft.problems
    """

    def __init__(self, reading: ParsedImage | None = None, *, autosave: bool = True, **unknown: Any):
        if unknown:
            raise TypeError(
                f"ImageDraft takes no {', '.join(map(repr, unknown))}: set fields on the draft, or use ImageDraft.from_wtml, from_fits or from_image"
            )
        if not isinstance(reading, ParsedImage | None):
            raise TypeError(
                f"ImageDraft takes no {type(reading).__name__}: use ImageDraft.from_wtml, from_fits, from_image or from_submission"
            )
        self._ready = False
        super().__init__()
        reading = reading or ParsedImage({})
        self._id = uuid.uuid4().hex
        self._name, self._local = readable(reading.name) or "image", reading.local
        self._origin = reading.origin or _digest(reading.values)
        self._fingerprint = reading.fingerprint
        self._remarks = [Problem("CXW901", INFO, "", remark) for remark in reading.remarks]
        self._suggestions, self._doubts = reading.suggestions, reading.doubts
        self._typed: set[str] = set()  # paths of fields that the user typed into, rather than a source or a program
        self._bases: dict[str, Any] = {}  # by path: what a typed field held before
        self._unsaved = ""
        self._receipt: Any = None
        self._publishing = False
        self._begin_with(reading.values)
        self._autosave: Autosave | None = None
        if autosave:
            wrote = lambda: self._notify(frozenset({"saved"}))  # noqa: E731
            self._autosave = Autosave(self._autosave_path, self.to_saved, self._autosave_told, wrote)
        self._ready = True

    # -- sources

    @classmethod
    def from_wtml(cls, source: Any, index: int | None = None, **options: Any) -> ImageDraft:
        """Make a draft of an imageset in WTML.

        Parameters
        ----------
        source : str, Path or Folder
            A file, a folder that toasty wrote (with an ``index_rel.wtml``), a web address, a ``.wwtl`` archive, the XML itself, or a
            `wwt_data_formats` Folder.
        index : int, optional
            Which imageset, counted from 0; needed when there are several.

        Raises
        ------
        SourceError
            If there is no such file, it is no WTML, or it is not clear which imageset is meant.

        Notes
        -----
        Imagesets are parsed one by one, so that any of a million can be read with `index`. `all_from_wtml` reads up to 50,000.
        """
        from .sources.wtml import read_one

        return cls(read_one(source, index), **options)

    @classmethod
    def all_from_wtml(cls, source: Any, **options: Any) -> list[ImageDraft]:
        """Make a draft of every imageset in a source of `from_wtml`, in order; raises the same errors."""
        from .sources.wtml import read_wtml

        return [cls(reading, **options) for reading in read_wtml(source)]

    @classmethod
    def from_imageset(cls, imageset: Any, index: int | None = None, **options: Any) -> ImageDraft:
        """Make a draft of a `wwt_data_formats` ImageSet, or of the one in a Place or Folder."""
        from .sources.wtml import read_imageset

        return cls(read_imageset(imageset, index), **options)

    @classmethod
    def from_fits(
        cls,
        source: Any,
        shape: Any = None,
        tolerance: float = 1.0,
        hdu: int | str | tuple[str, int] | None = None,
        *,
        solve: bool | Mapping[str, Any] = False,
        **options: Any,
    ) -> ImageDraft:
        """Make a draft of a FITS image in gray or color, placed by its WCS; the preview shows it with an asinh stretch.

        Parameters
        ----------
        source : str, Path, HDUList, HDU, Header or WCS
            A file, or what astropy made of one. A header and a WCS give the placement alone.
        shape : (int, int), optional
            Height and width in pixels, for a header or a WCS that does not say.
        tolerance : float, default 1
            The largest error in pixels of the fit where WWT can't draw the WCS as it is.
        hdu : int, str or (str, int), optional
            Number, name or ``("SCI", 2)`` (EXTNAME and EXTVER) of the HDU to read; without it the first image with a place on the sky.
        solve : bool or mapping, default False
            Whether to place a file by the stars in it instead of its WCS; see `from_image`. `tolerance` is not used then.

        Raises
        ------
        SourceError
            If the file can't be read, or WWT can't draw its WCS; the message gives the reason and what to do.
        SolveError
            If `solve` is given and no reliable position was found.
        """
        from .sources.fits import read_fits

        cards = _solved(source, solve, hdu) if solve is not False else None
        with needs_package("Reading a FITS image", SourceError):
            if cards is not None:
                reading = read_fits(source, None, math.inf, hdu, cards)
            else:
                reading = read_fits(source, shape, tolerance, hdu)
        return cls(reading, **options)

    @classmethod
    def from_image(
        cls,
        path: str | Path,
        wcs: Any = None,
        *,
        solve: bool | Mapping[str, Any] = False,
        autosave: bool = True,
        **placement: Any,
    ) -> ImageDraft:
        """Make a draft of a JPEG, PNG or TIFF file, placed by its AVM, by a WCS, by its stars, or by hand.

        Parameters
        ----------
        path : str or Path
            The image file.
        wcs : astropy.wcs.WCS, Header, str or Path, optional
            Its placement, or the file that holds it (``.wcs``, a text of FITS cards), for pixels counted from the lower left corner.
        solve : bool or mapping, default False
            Whether to place it by the stars in it; hints of `find_position` may be given: ``solve={"near": (202.5, 47.2)}``.
        **placement
            By hand: ``center=(ra, dec)`` in degrees, ``width=`` in degrees or ``pixel_scale=`` in seconds of arc, ``rotation=`` in
            degrees (position angle of "up"), ``parity=-1`` if mirrored. Or ``stars=[((x, y), (ra, dec)), …]``, at least two, in pixels
            right and down from the upper left corner. With a WCS ``rows=`` ("bottom", "top") and ``tolerance=`` (pixels).

        Raises
        ------
        SourceError
            If the file can't be read, or its AVM is not reliable (it belongs to another crop, for example).
        SolveError
            If `solve` is given and no reliable position was found.
        """
        from .sources.picture import read_picture

        if solve is not False:
            if wcs is not None or placement:
                raise SourceError(
                    "Give the place of the picture once: solve= finds it, without wcs= and other placement"
                )
            wcs = _solved(path, solve)
            placement = {"tolerance": math.inf}
        with needs_package("Reading a picture", SourceError):
            reading = read_picture(path, wcs, **placement)
        return cls(reading, autosave=autosave)

    @classmethod
    def from_submission(cls, body: ImageSubmission | ImageRecord | Mapping[str, Any], **options: Any) -> ImageDraft:
        """Make a draft of a request body (`submission()` or its `to_request()`) or of an image record from the API.

        Raises
        ------
        SourceError
            If `body` has another type.
        """
        from .schema.images import ImageSubmission
        from .schema.records import ImageRecord

        if not isinstance(body, ImageSubmission | ImageRecord | Mapping):
            raise SourceError(
                f"A {type(body).__name__} is not a submission: give a submission, its dict, or a record of Constellations.image"
            )
        content = flatten(body if isinstance(body, Mapping) else body.model_dump())
        values = {path: value for path, value in content.items() if path in fields()}
        return cls(ParsedImage(values, name=str(values.get("note") or "image")), **options)

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> ImageDraft:
        """Make a draft of a file that `save` or the autosave wrote.

        Raises
        ------
        SourceError
            If the file is not a draft.
        """
        return cls.from_saved(read_draft_file(user_path(path)), str(path), **options)

    @classmethod
    def from_saved(cls, content: Mapping[str, Any], what: str = "this", **options: Any) -> ImageDraft:
        """Make a draft of the data that `to_saved` returned, in this process or another; `what` names it in errors.

        Raises
        ------
        SourceError
            If it is not the content of a draft.
        """
        return cls(image_of(content, what), **options)

    # -- values

    @property
    def id(self) -> str:
        """The draft's own id, for journals and files."""
        return self._id

    @property
    def name(self) -> str:
        """The name of the image for people."""
        return self._name

    @property
    def origin(self) -> str:
        """Source of the draft: a path; a digest of its first values if it has no file; "" for an empty draft."""
        return self._origin

    @property
    def fingerprint(self) -> str:
        """Digest of the image's description in the file it was read from; "" if that file is the image itself."""
        return self._fingerprint

    @property
    def local(self) -> LocalImage | None:
        """The image's own files, if they are on this machine's disk."""
        return self._local

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several fields by path, as one change: ``draft.update({"wwt.rotation": 12.5, "note": "M 51"})``.

        Raises
        ------
        KeyError
            If a path names no field; nothing is changed then.
        PublishError
            If the draft was published: it is closed.
        """
        if self._receipt is not None:
            raise PublishError(
                f"{self.name!r} was published as {getattr(self._receipt, 'id', self._receipt)}, and this draft is closed: nothing was changed. "
                "To edit title, description or rights: cxw.PublishedImage(client, draft.receipt). "
                "To make another image from it: cxw.ImageDraft.from_submission(draft.receipt.body)"
            )
        super().update(changes)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Update fields as typed by the user in a widget.

        Unlike those of `update`, these changes are marked as typed in the saved file, so that they can be offered
        again after a crash.
        """
        new = {path: self[path] for path in changes if path in fields() and path not in self._bases}
        # New objects: another thread may be writing the old ones to disk.
        self._typed, self._bases = self._typed | changes.keys(), self._bases | new
        self.update(changes)

    def host_at(self, base: str) -> None:
        """Set image and thumbnail URL to their addresses below `base`, where the image's files will be hosted.

        Parameters
        ----------
        base : str
            Address of the folder that the image's files are uploaded to, such as ``https://example.org/m51/``.

        Raises
        ------
        SourceError
            If `base` is no web address.
        """
        from .sources.imagesets import based_at

        url = self.local.template if self.local else self.storage.legacy_url_template
        changes = {"storage.legacy_url_template": based_at(base, str(url or ""))}
        if self.wwt.thumbnail_url:
            changes["wwt.thumbnail_url"] = based_at(base, str(self.wwt.thumbnail_url))
        self.update(changes)

    def align(self, stars: Any, *, size: tuple[int, int] | None = None, parity: int | None = None) -> float:
        """Place the image so that its stars match their positions; return the largest error in pixels.

        Parameters are those of `from_image` (``stars=``, ``parity=``); `size` is (width, height) in pixels, for an
        image whose file is not known.

        Raises
        ------
        SourceError
            If the stars do not determine a placement.
        """
        from .sources.manual_placement import aligned

        changes, error = aligned(self.values, stars, size or (self.local.size if self.local else None), parity)
        self.update(changes)
        return error

    def solve(self, *, accept: bool = False, **hints: Any) -> Solution:
        """Find the image's position by its stars; change nothing unless `accept` is given.

        Parameters
        ----------
        accept : bool, default False
            Whether to place the image there, if nothing speaks against the solution.
        **hints
            Those of `find_position`: ``near=``, ``width=``, ``parity=``, ``timeout=`` and so on.

        Returns
        -------
        Solution
            The position, with the stars that prove it; see `accept`.

        Raises
        ------
        SolveError
            If no position was found, or, with `accept`, only a doubtful one; the message says why and what to try.
        SourceError
            If a hint is invalid, or the image is not one file on this machine.

        Examples
        --------
        >>> solution = draft.solve(near="13h29m53s +47d12m", width=0.5)  # doctest: +SKIP
        >>> draft.accept(solution)  # doctest: +SKIP
        """
        from .solving.solver import find_position_of, reliable

        solution = find_position_of(self.local, **hints).result()
        if accept:
            self.accept(reliable(solution, self.name))
        return solution

    def accept(self, solution: Solution) -> None:
        """Place the image as a solution of `solve` or `find_position` says.

        Raises
        ------
        SourceError
            If the solution is of a picture of another size, or WWT can't draw the image that way.
        """
        from .solving.acceptance import placement_by

        changes = placement_by(solution, self.values, self._image_size)
        doubts = inaccuracy({**self.values, **changes}, solution.inaccuracy)
        with self._lock:
            self._doubts = (*self._doubts, *doubts)
        self.edit(changes)

    # -- problems and submission

    def _find_problems(self) -> list[Problem]:
        unsaved = [Problem(UNSAVED, WARNING, "", self._unsaved)] if self._unsaved else []
        offers = [
            Problem("CXW905", INFO, each.field, each.words, _fix(each))
            for each in self._suggestions
            if not self[each.field]
        ]
        doubts = [
            Problem(each.code, WARNING, each.field, each.message, _fix(each))
            for each in self._doubts
            if each.holds(self)
        ]
        reported = inaccuracy_in(doubts)  # which counts what a far projection center displaces, too
        found = [each for each in super()._find_problems() if each.code != "CXW219" or each.fix or not reported]
        return [*found, *doubts, *unsaved, *self._remarks, *offers]

    @property
    def _image_size(self) -> tuple[int, int] | None:
        return self._local.size if self._local else None

    @property
    def _image_file(self) -> str:
        if self._origin.startswith("values:"):
            return ""
        return PurePath(self._origin.partition("#")[0]).name

    def submission(self) -> ImageSubmission:
        """Return the validated request body.

        Raises
        ------
        DraftError
            If the draft has errors: the message and its `problems` name every field.
        """
        # Imported on use: pydantic takes 7 MB of a kernel's memory, and a preview needs none of it.
        from pydantic import ValidationError

        from .schema.images import ImageSubmission

        with self._lock:
            errors = [problem for problem in self.problems if problem.severity == ERROR]
            if errors:
                raise DraftError(errors)
            values = {path: value for path, value in self.values.items() if value is not None}
        try:
            return ImageSubmission.model_validate(nest(values))
        except ValidationError as error:  # a rule of the schema that is missing in the checks
            found = [Problem("CXW100", ERROR, ".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
            raise DraftError(found) from None

    @property
    def receipt(self) -> Any:
        """The receipt of the publication; None before it."""
        return self._receipt

    @property
    def locked(self) -> bool:
        """Whether widgets accept no edits, because the draft is being published or has been."""
        return self._publishing or self._receipt is not None

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Lock the draft within this context, so that exactly what is shown is published."""
        self._publishing = True
        self._notify(frozenset({"locked"}))
        try:
            yield
        finally:
            self._publishing = False
            self._notify(frozenset({"locked"}))

    def published(self, receipt: Any) -> None:
        """Record that the draft was published, and remove its saved file."""
        self._receipt = receipt
        if self._autosave:
            self._autosave.discard()
            self._unsaved, self._problems = "", None
        self._notify(frozenset({"receipt"}))

    # -- on disk

    def save(self, path: str | Path) -> Path:
        """Write the draft to a JSON file, atomically. It holds no secret.

        Raises
        ------
        SourceError
            If the file can't be written.
        """
        target = user_path(path)
        if target.exists() and not target.is_file():
            raise SourceError(f"The draft can't be saved as {target}: that is not a file")
        try:
            write_json(target, self.to_saved())
        except (OSError, ValueError) as error:
            raise SourceError(
                f"The draft can't be saved as {target}: {getattr(error, 'strerror', None) or error}"
            ) from None
        return target

    @property
    def saved(self) -> datetime | None:
        """When the draft was last written to the user's state directory, UTC; None if it was not."""
        return self._autosave.saved if self._autosave else None

    @property
    def earlier(self) -> list[Path]:
        """Files with earlier unpublished edits of an image from the same source, newest first; see `restore`."""
        with contextlib.suppress(OSError):  # no state directory, which CXW902 reports
            return saved_files(folder_of(self.origin), self.id) if self.origin and self._autosave else []
        return []

    @staticmethod
    def autosaved() -> list[Path]:
        """Return the files of all autosaved, unpublished drafts, newest first; `ImageDraft.load` reads one."""
        with contextlib.suppress(OSError):
            return saved_files(state_dir("drafts"))
        return []

    def restore(self, path: str | Path | None = None) -> None:
        """Restore the values of an earlier draft: by default the newest readable one of `earlier`.

        The placement of a single file that had another size then is not restored, since it counts its pixels.

        Raises
        ------
        SourceError
            If there is no such draft.
        """
        saved = first_readable(self.earlier) if path is None else read_draft_file(user_path(path))
        if saved is None:
            raise SourceError(f"There are no earlier edits of {self.name!r} that were never published")
        values, remark = values_for(saved, self._image_size)
        self._remarks += [Problem("CXW901", INFO, "", remark)] if remark else []
        self.update(values)

    def to_saved(self) -> dict[str, Any]:
        """Return the content that `save` writes, as plain data without secrets; see `from_saved`."""
        local = self.local and self.local.to_json()
        values = {path: to_json(value) for path, value in self.values.items()}
        saved = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"version": 1, "id": self.id, "name": self.name, "origin": self.origin, "saved": saved, "local": local}
        about |= {"fingerprint": self.fingerprint, "doubts": saved_doubts(self._doubts, self)}
        bases = {path: to_json(value) for path, value in self._bases.items()}
        return {**about, "values": values, "typed": sorted(self._typed), "bases": bases}

    def _autosave_path(self) -> Path:
        return folder_of(self.origin or self.id) / f"{self.id}.json"

    def _autosave_told(self, error: OSError | None) -> None:
        with self._lock:
            self._unsaved = unsaved_reason(error) if error else ""
            self._problems = None
        self._notify(frozenset())

    def _notify(self, paths: frozenset[str]) -> None:
        if self._ready and self._autosave and not paths.isdisjoint(fields()):
            self._autosave.touch()
        super()._notify(paths)

    def __repr__(self) -> str:
        counts = {severity: sum(p.severity == severity for p in self.problems) for severity in (ERROR, WARNING)}
        found = ", ".join(f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items())
        return f"<ImageDraft {self.name!r}: {'published' if self.receipt else found}>"


def _solved(path: Any, hints: bool | Mapping[str, Any], hdu: Any = None) -> Any:
    """Return the WCS that the stars of a picture give, as a Header; raises the errors of `find_position` and `reliable`."""
    from .solving.solver import find_position, reliable

    given = {"hdu": hdu, **hints} if isinstance(hints, Mapping) else {"hdu": hdu}
    return reliable(find_position(path, **given).result(), Path(path).name).to_header()


def _fix(found: Suggestion | Doubt) -> Fix | None:
    return Fix(found.label, found.changes) if found.changes else None


def _digest(values: Mapping[str, Any]) -> str:
    """Return a digest that distinguishes drafts by their initial values; "" for an empty draft."""
    if not values:
        return ""
    text = json.dumps({path: to_json(value) for path, value in values.items()}, sort_keys=True)
    return "values:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
