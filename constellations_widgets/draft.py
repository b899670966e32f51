"""The draft: the one state that all widgets show and write to."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .autosave import Autosave, first_values, folder_of, read_draft_file, saved_files, to_json
from .checked import CheckedFields
from .checks import ERROR, INFO, WARNING, Fix, Problem
from .errors import DraftError, SourceError
from .exports import Exports
from .schema.fields import fields, flatten, nest
from .schema.images import ImageSubmission
from .schema.records import ImageRecord
from .sources.reading import Reading
from .state import state_dir, write_json

if TYPE_CHECKING:
    from .sources.local import LocalImage


class ImageDraft(Exports, CheckedFields):
    """An image that is not posted yet: values as typed, what is wrong with them, and in the end a submission.

    ``draft.wwt.rotation = 12.5``, ``draft.permissions.license = "cc-by-4.0"``, ``draft.note = "M 51"``: attributes are the API's fields and may
    be observed as traits are (``draft.wwt.observe(f, "rotation")``, ``ipywidgets.link``). Widgets on the draft follow at once.

    Parameters
    ----------
    reading : Reading, optional
        What a source gave. An empty draft without.
    autosave : bool, default True
        Whether the draft writes itself to the user's state directory while it is edited (never a secret, mode 0600).

    Attributes
    ----------
    wwt, permissions, storage : FieldGroup
        The API's fields. Units are those of the API: see `schema.images`.
    name : str
        What people call the image.
    local : LocalImage or None
        The image's own files, where they lie on this machine's disk; the preview shows these.
    receipt : Receipt or None
        Set once the draft was published.
    """

    def __init__(self, reading: Reading | None = None, *, autosave: bool = True, **unknown: Any):
        if unknown:
            raise TypeError(
                f"ImageDraft takes no {', '.join(map(repr, unknown))}: set fields on the draft, or use ImageDraft.from_wtml and its sisters"
            )
        if not isinstance(reading, Reading | None):
            raise TypeError(
                f"ImageDraft takes no {type(reading).__name__}: use ImageDraft.from_wtml, from_fits, from_image or from_submission"
            )
        self._ready = False
        super().__init__()
        reading = reading or Reading({})
        self._id = uuid.uuid4().hex
        self._name, self._local = reading.name or "image", reading.local
        self._origin = reading.origin or _digest(reading.values)
        self._remarks = [Problem("CXW901", INFO, "", remark) for remark in reading.remarks]
        self._suggestions = reading.suggestions
        self._typed: set[str] = set()  # paths that a person typed into, rather than a source or a program
        self._unsaved = ""
        self._receipt: Any = None
        self._publishing = False
        self._begin_with(reading.values)
        self._autosave = Autosave(self._autosave_path, self._to_json, self._autosave_told) if autosave else None
        self._ready = True

    # -- where drafts come from

    @classmethod
    def from_wtml(cls, source: Any, index: int | None = None, **options: Any) -> ImageDraft:
        """A draft of an imageset in WTML.

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
            When there is no such file, it is no WTML, or it is not clear which imageset is meant.
        """
        from .sources.wtml import choose, read_wtml

        return cls(choose(read_wtml(source), index), **options)

    @classmethod
    def all_from_wtml(cls, source: Any, **options: Any) -> list[ImageDraft]:
        """A draft of every imageset of what `from_wtml` takes, in order. Raises what it does."""
        from .sources.wtml import read_wtml

        return [cls(reading, **options) for reading in read_wtml(source)]

    @classmethod
    def from_imageset(cls, imageset: Any, index: int | None = None, **options: Any) -> ImageDraft:
        """A draft of a `wwt_data_formats` ImageSet, or of one of a Place or Folder."""
        from .sources.wtml import read_imageset

        return cls(read_imageset(imageset, index), **options)

    @classmethod
    def from_fits(cls, source: Any, shape: Any = None, tolerance: float = 1.0, **options: Any) -> ImageDraft:
        """A draft of a FITS image, placed by its WCS; the preview shows it with an asinh stretch.

        Parameters
        ----------
        source : str, Path, HDUList, HDU, Header or WCS
            A file, or what astropy made of one. A header and a WCS give the placement alone.
        shape : (int, int), optional
            Height and width in pixels, for a header or a WCS that does not say.
        tolerance : float, default 1
            The largest error in pixels of the fit where WWT can't draw the WCS as it is.

        Raises
        ------
        SourceError
            When the file can't be read, or WWT can't draw its WCS: the message names the reason, and what mends it.
        """
        from .sources.fits import read_fits

        return cls(read_fits(source, shape, tolerance), **options)

    @classmethod
    def from_image(cls, path: str | Path, wcs: Any = None, *, autosave: bool = True, **placement: Any) -> ImageDraft:
        """A draft of a JPEG, PNG or TIFF file, placed by the AVM in it, by a WCS, or by hand.

        Parameters
        ----------
        path : str or Path
            The image file.
        wcs : astropy.wcs.WCS, Header, str or Path, optional
            Its placement, or the file that holds it (``.wcs``, a text of FITS cards), for pixels counted from the lower left corner.
        **placement
            By hand: ``center=(ra, dec)`` in degrees, ``width=`` in degrees or ``pixel_scale=`` in seconds of arc, ``rotation=`` in
            degrees (position angle of "up"), ``parity=-1`` if mirrored. Or ``stars=[((x, y), (ra, dec)), …]``, at least two, in pixels
            right and down from the upper left corner. With a WCS ``rows=`` ("bottom", "top") and ``tolerance=`` (pixels).

        Raises
        ------
        SourceError
            When the file can't be read, or its AVM can't be trusted (it belongs to another crop, say).
        """
        from .sources.picture import read_picture

        return cls(read_picture(path, wcs, **placement), autosave=autosave)

    @classmethod
    def from_submission(cls, body: ImageSubmission | ImageRecord | Mapping[str, Any], **options: Any) -> ImageDraft:
        """A draft of a request body: what `submission()` or its `to_request()` gives, or an image record that the API gave.

        Raises
        ------
        SourceError
            When it is none of these.
        """
        known = isinstance(body, ImageSubmission | ImageRecord)
        if not known and not isinstance(body, Mapping):
            raise SourceError(
                f"A {type(body).__name__} is no submission: give a submission, its dict, or a record of Constellations.image"
            )
        content = flatten(body.model_dump() if known else body)
        values = {path: value for path, value in content.items() if path in fields()}
        return cls(Reading(values, name=str(values.get("note") or "image")), **options)

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> ImageDraft:
        """A draft that `save` wrote, or that was saved by itself. Raises SourceError when the file is none."""
        from .sources.local import LocalImage

        content = read_draft_file(Path(path).expanduser())
        values = {path: value for path, value in content["values"].items() if path in fields()}
        local = content.get("local")
        try:
            image = LocalImage.from_json(local) if local else None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise SourceError(f"{path} is not a draft that this package saved (its local image: {error})") from None
        return cls(Reading(values, str(content.get("name", "")), str(content.get("origin", "")), image), **options)

    # -- values

    @property
    def id(self) -> str:
        """This draft's own id, for journals and files."""
        return self._id

    @property
    def name(self) -> str:
        return self._name

    @property
    def origin(self) -> str:
        """Where the draft was read: a path, a digest of what it began with for one that comes from no file, "" for an empty one."""
        return self._origin

    @property
    def local(self) -> LocalImage | None:
        return self._local

    def edit(self, changes: Mapping[str, Any]) -> None:
        """As `update`, for what a person typed into a widget: kept on disk as such, so that it can be offered again after a crash."""
        self._typed = self._typed | changes.keys()  # a new set: another thread may be writing the old one to disk
        self.update(changes)

    def host_at(self, base: str) -> None:
        """Say where the image's files will be found: image and thumbnail URL become addresses under `base`.

        Parameters
        ----------
        base : str
            Address of the folder that the image's files are uploaded to, such as ``https://example.org/m51/``.
        """
        from .sources.imagesets import based_at

        url = self.local.template if self.local else self.storage.legacy_url_template
        changes = {"storage.legacy_url_template": based_at(base, str(url or ""))}
        if self.wwt.thumbnail_url:
            changes["wwt.thumbnail_url"] = based_at(base, str(self.wwt.thumbnail_url))
        self.update(changes)

    def align(self, stars: Any, *, size: tuple[int, int] | None = None, parity: int | None = None) -> float:
        """Place the image so that its stars lie where they do in the sky; gives by how many pixels the worst is beside its place.

        Parameters as those of `from_image` (``stars=``, ``parity=``); `size` is width and height, for an image whose file is not known.
        Raises SourceError when the stars tell nothing.
        """
        from .sources.by_hand import aligned

        changes, error = aligned(self.values, stars, size or (self.local.size if self.local else None), parity)
        self.update(changes)
        return error

    # -- what is wrong, and what will be sent

    def _find_problems(self) -> list[Problem]:
        unsaved = [Problem("CXW902", WARNING, "", self._unsaved)] if self._unsaved else []
        offers = [
            Problem(
                "CXW905",
                INFO,
                each.field,
                each.words,
                Fix(f"Use “{each.value}”", {each.field: each.value}) if each.value else None,
            )
            for each in self._suggestions
            if not self[each.field]
        ]
        return [*super()._find_problems(), *unsaved, *self._remarks, *offers]

    def submission(self) -> ImageSubmission:
        """The validated request body.

        Raises
        ------
        DraftError
            When something stands in the way of publishing: its message and its `problems` name every field.
        """
        with self._lock:
            errors = [problem for problem in self.problems if problem.severity == ERROR]
            if errors:
                raise DraftError(errors)
            values = {path: value for path, value in self.values.items() if value is not None}
        try:
            return ImageSubmission.model_validate(nest(values))
        except ValidationError as error:  # a rule that the schema has and the checks have not
            found = [Problem("CXW100", ERROR, ".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
            raise DraftError(found) from None

    @property
    def receipt(self) -> Any:
        return self._receipt

    @property
    def locked(self) -> bool:
        """Whether widgets take no edits of it: it is being published, or was."""
        return self._publishing or self._receipt is not None

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Within this the draft is locked, so that what is published is what is seen."""
        self._publishing = True
        self._notify(frozenset({"locked"}))
        try:
            yield
        finally:
            self._publishing = False
            self._notify(frozenset({"locked"}))

    def published(self, receipt: Any) -> None:
        """Remember that the draft was published; there is nothing left to keep on disk."""
        self._receipt = receipt
        if self._autosave:
            self._autosave.discard()
        self._notify(frozenset({"receipt"}))

    # -- on disk

    def save(self, path: str | Path) -> Path:
        """Write the draft to a JSON file, whole or not at all. It holds no secret. Raises SourceError when it can't be written."""
        target = Path(path).expanduser()
        if target.exists() and not target.is_file():
            raise SourceError(f"The draft can't be saved as {target}: that is no file")
        try:
            write_json(target, self._to_json())
        except OSError as error:
            raise SourceError(f"The draft can't be saved as {target}: {error.strerror or error}") from None
        return target

    @property
    def earlier(self) -> list[Path]:
        """Files with earlier edits of an image from the same source that were never published, newest first; see `restore`."""
        with contextlib.suppress(OSError):  # no state directory: CXW902 tells
            return saved_files(folder_of(self.origin), self.id) if self.origin and self._autosave else []
        return []

    @staticmethod
    def autosaved() -> list[Path]:
        """Files of all drafts that saved themselves and were never published, newest first; `ImageDraft.load` reads one."""
        with contextlib.suppress(OSError):
            return saved_files(state_dir("drafts"))
        return []

    def restore(self, path: str | Path | None = None) -> None:
        """Take over the values of an earlier draft: the newest that can be read of `earlier` where no file is given.

        Raises
        ------
        SourceError
            When there is none.
        """
        values = first_values(self.earlier) if path is None else read_draft_file(Path(path))["values"]
        if values is None:
            raise SourceError(f"There are no earlier edits of {self.name!r} that were never published")
        self.update({path: value for path, value in values.items() if path in fields()})

    def _to_json(self) -> dict[str, Any]:
        local = self.local and self.local.to_json()
        values = {path: to_json(value) for path, value in self.values.items()}
        saved = datetime.now(timezone.utc).isoformat(timespec="seconds")
        about = {"version": 1, "id": self.id, "name": self.name, "origin": self.origin, "saved": saved, "local": local}
        return {**about, "values": values, "typed": sorted(self._typed)}

    def _autosave_path(self) -> Path:
        return folder_of(self.origin or self.id) / f"{self.id}.json"

    def _autosave_told(self, error: OSError | None) -> None:
        reason = error and f"edits can't be saved to disk ({error.strerror or error}): a killed kernel would lose them"
        with self._lock:
            self._unsaved = reason or ""
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


def _digest(values: Mapping[str, Any]) -> str:
    """Tells drafts that begin with the same values from others; "" for one that begins with none."""
    if not values:
        return ""
    text = json.dumps({path: to_json(value) for path, value in values.items()}, sort_keys=True)
    return "values:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
