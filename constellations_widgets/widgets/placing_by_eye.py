"""Placing by eye: what a drag on the sky does to a draft, for a page and for a notebook, with undo and redo."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError, SourceError
from ..schema.placement import is_tan, number, shown, text
from ..sources import adjusting
from ..sources.by_hand import aligned, position
from ..sources.plane import Plane, padded, plane_of

if TYPE_CHECKING:
    from ..draft import ImageDraft

PLACED = (
    *("wwt.center_x", "wwt.center_y", "wwt.rotation", "wwt.base_degrees_per_tile", "wwt.offset_x", "wwt.offset_y"),
    *("wwt.bottoms_up", "wwt.projection", "wwt.tile_levels"),
)
"""Paths of the fields that undo and redo bring back."""

ELSEWHERE = "edits elsewhere"
_MOST_STEPS = 500
_MOST_STARS = 1000

Snapshot = dict[str, Any]
Make = Callable[[Snapshot], Snapshot]  # from the values of a draft to what is to be changed


@dataclass(frozen=True)
class _Step:
    """What undo takes back at once. The parts of a drag are one: they share a `gesture`."""

    label: str
    before: Snapshot
    after: Snapshot
    gesture: str = ""


@dataclass(frozen=True)
class _History:
    """Exchanged as a whole, so that it is read without a lock: in an observer of the draft, with other locks held."""

    at: Snapshot
    done: tuple[_Step, ...] = ()
    undone: tuple[_Step, ...] = ()
    drag: _Step | None = None


class PlacingByEye:
    """The placement of a draft, moved, turned, scaled, mirrored and aligned as one does by eye.

    Each change writes to the draft as one step, which `undo` takes back. Changes made elsewhere (in a form, in Python) are a step, too.
    The image moves as a stiff sheet does: close to a pole its rotation changes with its centre.

    Parameters
    ----------
    draft : ImageDraft or None
        Its projection must be ``Tan`` or ``SkyImage``.

    Raises
    ------
    ConstellationsError
        By each change that can't be made: the draft is locked, has no complete placement, or WWT could not draw it.

    Examples
    --------
    >>> preview.placing.move((150.0, 20.0), (150.1, 20.0))
    >>> preview.placing.turn(12.5)
    >>> preview.placing.undo()
    """

    def __init__(self, draft: ImageDraft | None):
        self._draft = draft
        self._lock = threading.RLock()  # of changes: one after the other
        self._history = _History(self._now() if draft is not None else {})

    @property
    def refusal(self) -> str:
        """Why the image can't be placed now, in words; "" if it can."""
        draft = self._draft
        if draft is None:
            return "There is no image to be placed."
        if draft.receipt is not None:
            return f"“{draft.name}” is published: a posted image can't be moved any more."
        if draft.locked:
            return f"“{draft.name}” is being published, and can't be moved meanwhile."
        found = _plane(draft.values)
        return found if isinstance(found, str) else ""

    @property
    def undo_label(self) -> str:
        """What `undo` would take back, such as "move"; "" if there is nothing."""
        if self._draft is not None and not _alike(self._now(), self._history.at):
            return ELSEWHERE
        return self._history.done[-1].label if self._history.done else ""

    @property
    def redo_label(self) -> str:
        """What `redo` would make again; "" if there is nothing."""
        if self._draft is not None and not _alike(self._now(), self._history.at):
            return ""
        return self._history.undone[-1].label if self._history.undone else ""

    @property
    def middle(self) -> tuple[float, float]:
        """Right ascension and declination of the image's middle, degrees; of its projection centre where its size is not known."""
        plane, size = plane_of(self._placed_draft().values, self._size), self._size
        return plane.sky(size[0] / 2, size[1] / 2) if size else (plane.ra, plane.dec)

    def move(self, start: Any, end: Any) -> None:
        """Move the image so that what is at `start` comes to `end`: (RA, Dec) in degrees, astropy SkyCoord or text."""
        self._change("move", _mover(position(start, "start="), position(end, "end=")))

    def turn(self, angle: float, about: Any = None) -> None:
        """Turn the image by `angle` degrees, counter-clockwise in the sky (north to east), about a place; by default its middle."""
        self._change("rotation", _turner(_finite(angle, "angle"), self._about(about)))

    def scale(self, factor: float, about: Any = None) -> None:
        """Make the image's pixels `factor` times as large on the sky, about a place; by default its middle."""
        self._change("scale", _scaler(_finite(factor, "factor"), self._about(about)))

    def mirror(self, about: Any = None) -> None:
        """Exchange left and right of the image, about a place; by default its middle. WWT draws no mirrored tiles (``Tan``)."""
        self._change("mirroring", _mirrorer(self._about(about)))

    def align(
        self, stars: Iterable[tuple[Any, Any]], parity: int | None = None, size: tuple[int, int] | None = None
    ) -> float:
        """Lay the image so that its stars are where they are in the sky: two or more solve centre, scale and rotation.

        Parameters
        ----------
        stars : iterable of ((x, y), (ra, dec))
            The place in the image in pixels, right and down from its upper left corner, and that in the sky: degrees, SkyCoord or text.
        parity : int, optional
            1 for an image as seen in the sky, -1 for a mirrored one. Three stars tell it; two leave it as it is.
        size : (int, int), optional
            Width and height of the image in pixels, where the draft does not know it. By default, of a tiled image, that of all
            tiles of the deepest level together.

        Returns
        -------
        float
            By how many pixels the worst star is beside its place.
        """
        found: list[float] = []

        def solve(values: Snapshot) -> Snapshot:
            changes, error = aligned(values, stars, self._size or size, parity)
            found.append(error)
            pixel = plane_of({**values, **changes}).scale
            return adjusting.tidy({path: changes[path] for path in PLACED}, pixel, is_tan(values))

        self._change("alignment", solve)
        return found[-1]

    def undo(self) -> str:
        """Take back the last step. Returns what that was; "" if there was none."""
        with self._lock:
            draft = self._editable()
            self._catch_up()
            history = self._history
            if not history.done:
                return ""
            *done, step = history.done
            self._go(draft, step.after, _History(step.before, tuple(done), (*history.undone, step), history.drag))
            return step.label

    def redo(self) -> str:
        """Make the step again that was taken back last. Returns what that was; "" if there was none."""
        with self._lock:
            draft = self._editable()
            self._catch_up()
            history = self._history
            if not history.undone:
                return ""
            *undone, step = history.undone
            self._go(draft, step.before, _History(step.after, (*history.done, step), tuple(undone), history.drag))
            return step.label

    # What the page hears and says.

    def status(self) -> dict[str, Any]:
        """For the page: what can be done now. Takes no lock."""
        plane = _plane(self._draft.values) if self._draft is not None else ""
        about = {"refusal": self.refusal, "locked": self._draft is None or self._draft.locked, "size": self._size}
        about |= {"undo": self.undo_label, "redo": self.redo_label}
        if isinstance(plane, str):
            return about | {"pixel": None, "mirrored": None}
        return about | {"pixel": plane.scale, "mirrored": plane.mirrored}

    def by_page(self, request: Mapping[str, Any]) -> str:
        """Do what a page asks for, and say in words what came of it where that is not to be seen."""
        kind = str(request.get("op"))
        if kind == "undo":
            return f"Undone: {label}." if (label := self.undo()) else "There is nothing to undo."
        if kind == "redo":
            return f"Done again: {label}." if (label := self.redo()) else "There is nothing to do again."
        if kind == "align":
            stars = request.get("stars")
            if not isinstance(stars, list) or len(stars) > _MOST_STARS:
                raise ConstellationsError("An alignment needs a list of stars.")
            error = self.align(stars, request.get("parity"), _whole_size(request.get("size")))
            if len(stars) == 2:
                return "The image lies on both stars. A third would tell how well it fits."
            return f"The image lies on {len(stars)} stars; the worst is {error:.2f} pixels beside its place."
        if kind not in _BY_PAGE:
            raise ConstellationsError(f"There is no change of a placement of the kind {kind[:40]!r}.")
        label, make = _BY_PAGE[kind]
        self._change(label, make(request), gesture=str(request.get("gesture", ""))[:80])
        return ""

    # How it is done.

    @property
    def _size(self) -> tuple[int, int] | None:
        """Width and height of the image in pixels; of a tiled one without its edges where that is known."""
        draft = self._draft
        if draft is None:
            return None
        if draft.local is not None and draft.local.size is not None:
            return draft.local.size
        levels = number(draft.values, "wwt.tile_levels")
        tiled = is_tan(draft.values) and levels is not None and 0 <= levels <= 30
        return padded(int(levels)) if tiled and levels is not None else None

    def _placed_draft(self) -> ImageDraft:
        if self._draft is None:
            raise ConstellationsError(self.refusal)
        return self._draft

    def _editable(self) -> ImageDraft:
        draft = self._placed_draft()
        if draft.locked:
            raise ConstellationsError(self.refusal)
        return draft

    def _about(self, about: Any) -> tuple[float, float]:
        return self.middle if about is None else position(about, "about=")

    def _now(self) -> Snapshot:
        values = self._placed_draft().values
        return {path: values[path] for path in PLACED}

    def _catch_up(self) -> None:
        """What somebody else changed since is a step, too: all of it one."""
        history, now = self._history, self._now()
        if not _alike(now, history.at):
            step = _Step(ELSEWHERE, history.at, now)
            self._history = _History(now, (*history.done, step)[-_MOST_STEPS:], (), history.drag)

    def _change(self, label: str, make: Make, gesture: str = "") -> None:
        with self._lock:
            draft = self._editable()
            if refusal := self.refusal:
                raise ConstellationsError(refusal)
            drag = self._history.drag
            if drag is None or not gesture or drag.gesture != gesture:
                self._catch_up()
                drag = _Step(label, self._history.at, self._history.at, gesture)
            elif not _alike(self._now(), drag.after):
                raise ConstellationsError(
                    "The placement was changed elsewhere in the middle of this: what is on the sky now is that."
                )
            history = self._history
            values = {**draft.values, **drag.before}
            after = drag.before | make(values)
            step = _Step(label, drag.before, after, gesture)
            began = bool(gesture) and bool(history.done) and history.done[-1] is drag
            done = history.done[:-1] if began else history.done
            if not _alike(after, drag.before):
                done = (*done, step)[-_MOST_STEPS:]
            undone = history.undone if _alike(after, drag.before) and not began else ()
            self._go(draft, drag.after, _History(after, done, undone, step))

    def _go(self, draft: ImageDraft, now: Snapshot, then: _History) -> None:
        self._history = then
        draft.edit({path: value for path, value in then.at.items() if not _same(value, now[path])})


def _plane(values: Mapping[str, Any]) -> Plane | str:
    """The plane that the values of a draft describe, or in words why there is none. Whatever was typed, it raises nothing."""
    if text(values, "wwt.projection") not in ("Tan", "SkyImage"):
        projection = shown(values.get("wwt.projection"))
        return f"Flat images (Tan, SkyImage) can be placed by hand; the projection of this one is {projection}."
    try:
        return plane_of(values)
    except SourceError as error:
        return str(error)
    except ArithmeticError:
        return "The placement has numbers that are too small or too large for an image on the sky."


def _same(one: Any, other: Any) -> bool:
    """Whether a draft takes two values for the same."""
    if one is other:
        return True
    plain = isinstance(one, (int, float, str)) and isinstance(other, (int, float, str))
    return plain and isinstance(one, bool) == isinstance(other, bool) and one == other


def _alike(one: Snapshot, other: Snapshot) -> bool:
    return all(_same(one[path], other[path]) for path in PLACED)


def _on_plane(change: Callable[[Plane], Plane]) -> Make:
    return lambda values: adjusting.changes(values, change(plane_of(values)))


def _mover(start: tuple[float, float], end: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: adjusting.moved(plane, start, end))


def _turner(angle: float, about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: adjusting.turned(plane, angle, about))


def _scaler(factor: float, about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: adjusting.scaled(plane, factor, about))


def _mirrorer(about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: adjusting.mirrored(plane, about))


def _finite(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConstellationsError(f"{name} takes a finite number, not {value!r:.40}")
    return float(value)


def _whole_size(size: Any) -> tuple[int, int] | None:
    if not isinstance(size, list) or len(size) != 2:
        return None
    width, height = (round(_finite(side, "size")) for side in size)
    return width, height


def _place(request: Mapping[str, Any], name: str) -> tuple[float, float]:
    return position(request.get(name), name)


# What a page may ask for: the step's label, and the change.
_BY_PAGE: dict[str, tuple[str, Callable[[Mapping[str, Any]], Make]]] = {
    "move": ("move", lambda asked: _mover(_place(asked, "start"), _place(asked, "end"))),
    "turn": ("rotation", lambda asked: _turner(_finite(asked.get("by"), "by"), _place(asked, "about"))),
    "scale": ("scale", lambda asked: _scaler(_finite(asked.get("by"), "by"), _place(asked, "about"))),
    "mirror": ("mirroring", lambda asked: _mirrorer(_place(asked, "about"))),
}
