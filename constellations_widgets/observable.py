"""Fields as attributes, and their problems: any thread may change them, each change is atomic and notified once."""

from __future__ import annotations

import contextlib
import difflib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from traitlets import Any as AnyTrait
from traitlets import Bunch, HasTraits

from .checks import IMAGE_FILE, IMAGE_SIZE, Fix, Problem, by_severity, run
from .errors import LicenseError
from .schema.fields import fields
from .schema.license import normalize_license

Value = TypeVar("Value")
OnChange = Callable[[Any, frozenset[str]], None]

_log = logging.getLogger(__name__)

# Initial values of fields that are the same for almost every image. All other fields are empty at first.
_DEFAULTS = {
    "wwt.width_factor": 2,
    "wwt.quad_tree_map": "",
    "wwt.bottoms_up": False,
    "wwt.thumbnail_url": "",
    "note": "",
    "alt_text": "",
}

_PARTS = {path: path.rpartition(".")[::2] for path in fields()}  # group and name


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    by_name = {path.rpartition(".")[2]: path for path in known}
    close = difflib.get_close_matches(name.rpartition(".")[2], by_name, n=1, cutoff=0.6)
    return f"; did you mean {by_name[close[0]]}?" if close else f"; there are {', '.join(by_name.values())}"


def normal(path: str, value: Any) -> Any:
    """Normalize `value` to the API's spelling if that is unambiguous; otherwise return it unchanged."""
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return value.item() if getattr(value, "size", 1) == 1 else value  # a numpy scalar
    if path == "permissions.license" and isinstance(value, str):
        with contextlib.suppress(LicenseError):
            return normalize_license(value)
    return value


def _same(old: Any, new: Any) -> bool:
    """Return whether two values are the same: NaN equals NaN, and 1 differs from True."""
    if old is new:
        return True
    try:
        same = bool(old == new) or bool(old != old and new != new)
    except Exception:  # an arbitrary object may raise anything when compared  # noqa: BLE001
        return False
    return same and isinstance(old, bool) == isinstance(new, bool)


class Field(AnyTrait, Generic[Value]):
    """A trait that accepts any value and passes it to its draft; type checkers expect its own type.

    Parameters
    ----------
    path : str
        The field's path in a submission, such as ``wwt.rotation``.
    """

    if TYPE_CHECKING:

        def __get__(self, obj: Any, cls: Any = None) -> Value | None:  # type: ignore[override]
            """Return the value."""

        def __set__(self, obj: Any, value: Value | None) -> None: ...

    def __init__(self, path: str):
        super().__init__(_DEFAULTS.get(path), help=fields()[path].description)
        self.path = path

    def set(self, obj: Any, value: Any) -> None:
        """Set the value through the draft, so that the change is atomic and observers are notified."""
        obj._draft.update({self.path: value})


class FieldGroup(HasTraits):
    """A group of a draft's fields as attributes; they accept any value as typed, and the checks report invalid ones."""

    if not TYPE_CHECKING:  # it would allow type checkers any name

        def __setattr__(self, name: str, value: Any) -> None:
            if name.startswith("_"):
                object.__setattr__(self, name, value)  # not a field: skip traitlets
                return
            if not hasattr(type(self), name):
                raise AttributeError(f"An image has no field {name!r}{_did_you_mean(name, self._known())}")
            super().__setattr__(name, value)

    def _known(self) -> list[str]:
        return sorted(self.trait_names())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.trait_values().items())})"


class WwtFields(FieldGroup):
    """The 13 placement fields of WWT; see `schema.images.ImageWwt` for their units and meaning."""

    base_degrees_per_tile = Field[float]("wwt.base_degrees_per_tile")
    bottoms_up = Field[bool]("wwt.bottoms_up")
    center_x = Field[float]("wwt.center_x")
    center_y = Field[float]("wwt.center_y")
    file_type = Field[str]("wwt.file_type")
    offset_x = Field[float]("wwt.offset_x")
    offset_y = Field[float]("wwt.offset_y")
    projection = Field[str]("wwt.projection")
    quad_tree_map = Field[str]("wwt.quad_tree_map")
    rotation = Field[float]("wwt.rotation")
    thumbnail_url = Field[str]("wwt.thumbnail_url")
    tile_levels = Field[int]("wwt.tile_levels")
    width_factor = Field[int]("wwt.width_factor")


class PermissionFields(FieldGroup):
    """Copyright, credits and license."""

    copyright = Field[str]("permissions.copyright")
    credits = Field[str]("permissions.credits")
    license = Field[str]("permissions.license")


class StorageFields(FieldGroup):
    """Addresses of the image's pixels."""

    legacy_url_template = Field[str]("storage.legacy_url_template")


class TopFields(FieldGroup):
    """Note and alternative text."""

    note = Field[str]("note")
    alt_text = Field[str]("alt_text")


class ObservableFields(TopFields):
    """All fields of an image, in the groups of the API.

    Any thread may read and change them. Changes are atomic. Observers are called in the thread that made the change,
    without a lock held, so they may make further changes.
    """

    wwt: WwtFields
    permissions: PermissionFields
    storage: StorageFields

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(wwt=WwtFields(), permissions=PermissionFields(), storage=StorageFields())
        for group in (self.wwt, self.permissions, self.storage):
            group.__dict__["_draft"] = self  # an attribute here, but a property of this class
        self._lock = threading.RLock()  # held only while values are read or stored, never during a callback
        self._observers: list[OnChange] = []
        self._held = threading.local()  # .paths: what this thread changed inside `hold`

    @property
    def name(self) -> str:
        """The name of the image for people."""
        raise NotImplementedError

    @property
    def values(self) -> dict[str, Any]:
        """A copy of all values as typed, by path: ``{"wwt.rotation": 12.5, …}``."""
        with self._lock:
            return {path: self[path] for path in fields()}

    def __getitem__(self, path: str) -> Any:
        group, name = self._place(path)
        return getattr(group, name)

    def __setitem__(self, path: str, value: Any) -> None:
        self.update({path: value})

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several fields by path, as one change: ``draft.update({"wwt.rotation": 12.5, "note": "M 51"})``.

        Raises
        ------
        KeyError
            If a path names no field; nothing is changed then.
        """
        places = [(path, *self._place(path), normal(path, value)) for path, value in changes.items()]
        changed: list[tuple[str, HasTraits, Bunch]] = []
        with self._lock:
            for path, group, name, new in places:
                if not _same(old := getattr(group, name), new):
                    group._trait_values[name] = new
                    changed.append((path, group, Bunch(object=group, name=name, old=old, new=new, type="change")))
            if changed:
                self._values_changed()
        failures = []
        with self.hold():
            for path, group, change in changed:
                self._held.paths.add(path)
                try:
                    group.notify_change(change)
                except Exception as error:  # other fields' observers must still be called  # noqa: BLE001
                    failures.append(error)
        if failures:
            raise failures[0]

    def _begin_with(self, values: Mapping[str, Any]) -> None:
        """Set fields of a new object that has no observers yet; ten times as fast as `update`."""
        for path, value in values.items():
            group, name = self._place(path)
            group._trait_values[name] = normal(path, value)

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Call ``callback(draft, paths)`` after every change, in the changing thread; return a function that stops it.

        `paths` holds the changed fields, "receipt" when the draft was published, "locked" when publishing or saving
        begins or ends, "saved" when the draft was written to disk, "record" when a published image was reloaded; it is empty if only `problems` changed.
        Exceptions of a callback are logged: the change stands, and the other callbacks are called.
        """
        self._observers.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._observers.remove(callback)

        return stop

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Combine the changes that this thread makes within this context into one notification of `on_change`."""
        if getattr(self._held, "paths", None) is not None:
            yield  # the outermost context notifies
            return
        self._held.paths = set()
        try:
            yield
        finally:
            paths, self._held.paths = self._held.paths, None
            if paths:
                self._notify(frozenset(paths))

    def _notify(self, paths: frozenset[str]) -> None:
        for callback in list(self._observers):
            try:
                callback(self, paths)
            except Exception:  # noqa: BLE001
                _log.exception("An observer of %r failed; the draft was changed nevertheless", self.name)

    def _values_changed(self) -> None:
        """Update derived state after a change. The caller holds the lock; observers are notified afterwards."""

    @property
    def _draft(self) -> ObservableFields:
        return self

    def _known(self) -> list[str]:
        return list(fields())

    def _place(self, path: str) -> tuple[HasTraits, str]:
        if path not in _PARTS:
            raise KeyError(f"An image has no field {path!r}{_did_you_mean(path, fields())}")
        prefix, name = _PARTS[path]
        return (getattr(self, prefix) if prefix else self), name

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            if name in ("wwt", "permissions", "storage"):
                raise AttributeError(
                    f"set the fields of draft.{name} one by one, or several with draft.update({{'{name}.…': …}})"
                )
            super().__setattr__(name, value)


class CheckedFields(ObservableFields):
    """All fields of an image, and their problems."""

    def __init__(self) -> None:
        super().__init__()
        self._problems: list[Problem] | None = None  # None: to be computed

    @property
    def locked(self) -> bool:
        """Whether widgets accept no edits now."""
        raise NotImplementedError

    @property
    def problems(self) -> list[Problem]:
        """Problems that the checks find: errors first, then warnings, then information."""
        with self._lock:
            if self._problems is None:
                self._problems = by_severity(self._find_problems())
            return list(self._problems)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Update fields as typed by the user in a widget."""
        self.update(changes)

    def apply(self, fix: Problem | Fix) -> None:
        """Apply the changes that a problem's fix proposes.

        Raises
        ------
        ValueError
            If the problem has no fix.
        """
        found = fix.fix if isinstance(fix, Problem) else fix
        if found is None:
            raise ValueError(f"There is no automatic fix for {fix}: change the field yourself")
        self.update(found.changes)

    def _find_problems(self) -> list[Problem]:
        """Return the problems in any order. The caller holds the lock."""
        return run(self.values | {IMAGE_SIZE: self._image_size, IMAGE_FILE: self._image_file})

    @property
    def _image_size(self) -> tuple[int, int] | None:
        """Width and height of the image in pixels, if known."""
        return None

    @property
    def _image_file(self) -> str:
        """Name of the file that the values were read from, "" if there is none."""
        return ""

    def _values_changed(self) -> None:
        self._problems = None
