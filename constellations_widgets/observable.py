"""Fields as attributes that several threads and widgets may change: each change is whole, and everybody is told of it once."""

from __future__ import annotations

import contextlib
import difflib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bunch, HasTraits

from .errors import LicenseError
from .schema.fields import fields
from .schema.license import normalize_license

OnChange = Callable[[Any, frozenset[str]], None]

_log = logging.getLogger(__name__)

# What a field starts with where nothing is known: what almost every image has. Everything else starts empty.
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
    """`value` as the API writes it, where what was typed means that without a doubt; otherwise as typed."""
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return value.item() if getattr(value, "size", 1) == 1 else value  # a numpy scalar
    if path == "permissions.license" and isinstance(value, str):
        with contextlib.suppress(LicenseError):
            return normalize_license(value)
    return value


def _same(old: Any, new: Any) -> bool:
    """Whether nothing has changed: NaN is NaN, while 1 is not True."""
    if old is new:
        return True
    try:
        same = bool(old == new) or bool(old != old and new != new)
    except Exception:  # whatever stands there need not know how to compare itself
        return False
    return same and isinstance(old, bool) == isinstance(new, bool)


class _Field(AnyTrait):
    """A trait that takes any value, and hands it to the draft that it belongs to."""

    def __init__(self, path: str):
        super().__init__(_DEFAULTS.get(path), help=fields()[path].description)
        self.path = path

    def set(self, obj: Any, value: Any) -> None:
        obj._draft.update({self.path: value})


class FieldGroup(HasTraits):
    """Some of a draft's fields as attributes: any value as it was typed may stand in them, the checks say what is wrong with it."""

    _draft: ObservableFields

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)  # no field: quick
            return
        if not hasattr(type(self), name):
            raise AttributeError(f"An image has no field {name!r}{_did_you_mean(name, self._known())}")
        super().__setattr__(name, value)

    def _known(self) -> list[str]:
        return sorted(self.trait_names())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.trait_values().items())})"


def _group(name: str, paths: Iterable[str], doc: str) -> type[FieldGroup]:
    traits = {path.rpartition(".")[2]: _Field(path) for path in paths}
    return type(name, (FieldGroup,), {**traits, "__doc__": doc, "__module__": __name__})


def _below(prefix: str) -> list[str]:
    return [path for path in fields() if path.rpartition(".")[0] == prefix]


WwtFields = _group(
    "WwtFields", _below("wwt"), "The 13 fields of WWT; see `schema.images.ImageWwt` for units and meaning."
)
PermissionFields = _group("PermissionFields", _below("permissions"), "Copyright, credits and license.")
StorageFields = _group("StorageFields", _below("storage"), "Where the image's pixels are.")
TopFields = _group("TopFields", _below(""), "Note and alternative text.")


class ObservableFields(TopFields):
    """All fields of an image, in the groups of the API.

    Any thread may read and change them. A change is whole or not there at all for the others, and observers are called in the thread that
    made it, while no lock is held: they may make further changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(wwt=WwtFields(), permissions=PermissionFields(), storage=StorageFields())
        for group in (self.wwt, self.permissions, self.storage):
            group._draft = self
        self._lock = threading.RLock()  # held only while values are read or stored, never while others are called
        self._observers: list[OnChange] = []
        self._held = threading.local()  # .paths: what this thread changed inside `hold`

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
            When a path names no field; nothing is changed then.
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
                except Exception as error:  # of an observer of this trait; the other fields have theirs
                    failures.append(error)
        if failures:
            raise failures[0]

    def _begin_with(self, values: Mapping[str, Any]) -> None:
        """Set fields of an object that nobody knows yet: ten times as fast as `update`, since there is nobody to tell."""
        for path, value in values.items():
            group, name = self._place(path)
            group._trait_values[name] = normal(path, value)

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Call ``callback(draft, paths)`` after every change, in the thread that made it; gives a function that ends it.

        `paths` holds the fields that changed, "receipt" when the draft was published, "locked" when publishing or saving begins or
        ends, "record" when a published image was read anew, or nothing where only `problems` are other ones.
        What a callback raises is logged: the change stands, and the other callbacks are called.
        """
        self._observers.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._observers.remove(callback)

        return stop

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Within this, several changes that this thread makes are told to `on_change` as one."""
        if getattr(self._held, "paths", None) is not None:
            yield  # the outermost one tells
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
            except Exception:
                _log.exception("An observer of %r failed; the draft has changed all the same", self.name)

    def _values_changed(self) -> None:
        """Called while the lock is held, before anybody is told."""

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

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("wwt", "permissions", "storage"):
            raise AttributeError(
                f"set the fields of draft.{name} one by one, or several with draft.update({{'{name}.…': …}})"
            )
        super().__setattr__(name, value)
