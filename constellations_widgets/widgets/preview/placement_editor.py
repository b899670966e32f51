"""Interactive editing of a draft's placement, from the page and from Python, with undo and redo."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConstellationsError, SourceError
from ...geometry import transforms
from ...geometry.plane import Plane, padded, plane_of, width_factor_of
from ...schema.placement import is_tan, number, shown, text
from ...sources.manual_placement import aligned, position
from ..protocol.preview import PlacingStatus
from .snapping import TIMEOUT, Snapping

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage
    from ...solving.registration import Snapped

PLACED = (*transforms.PLACED, "wwt.bottoms_up", "wwt.projection", "wwt.tile_levels")
"""Paths of the fields that undo and redo restore."""

ELSEWHERE = "edits elsewhere"
_MOST_STEPS = 500
_MOST_STARS = 1000

Snapshot = dict[str, Any]
Make = Callable[[Snapshot], Snapshot]  # values of a draft → changes


@dataclass(frozen=True)
class _Step:
    """One step of the history. The parts of a drag are one step: they share a `gesture`."""

    label: str
    before: Snapshot
    after: Snapshot
    gesture: str = ""


@dataclass(frozen=True)
class _History:
    """Steps that can be undone and redone. Replaced as a whole, so that observers of the draft can read it without a lock."""

    at: Snapshot
    done: tuple[_Step, ...] = ()
    undone: tuple[_Step, ...] = ()
    drag: _Step | None = None


class PlacementEditor:
    """Editor of a draft's placement: move, rotate, scale, mirror, align with stars.

    Each change is one step, which `undo` reverts. Changes made elsewhere (in a form, in Python) are a step, too.
    The image moves as a rigid sheet: close to a pole its rotation changes with its center.

    Parameters
    ----------
    draft : ImageDraft or None
        Its projection must be ``Tan`` or ``SkyImage``.

    Raises
    ------
    ConstellationsError
        By each change that is impossible: the draft is locked, has no complete placement, or WWT could not draw the result.

    Examples
    --------
    >>> preview.placing.move((150.0, 20.0), (150.1, 20.0))
    >>> preview.placing.turn(12.5)
    >>> preview.placing.undo()
    """

    def __init__(self, draft: ImageDraft | PublishedImage | None):
        self._draft = draft
        self._lock = threading.RLock()  # held during a change
        self._history = _History(self._now() if draft is not None else {})
        self.snapping = Snapping(draft, self._place_snapped)

    @property
    def refusal(self) -> str:
        """Why the placement can't be changed now; "" if it can."""
        draft = self._draft
        if draft is None:
            return "There is no image to place."
        if draft.receipt is not None:
            return f"“{draft.name}” is published: a posted image can't be moved any more."
        if draft.locked:
            return f"“{draft.name}” is being published, and can't be moved meanwhile."
        found = _plane(draft.values)
        return found if isinstance(found, str) else ""

    @property
    def undo_label(self) -> str:
        """Label of the step that `undo` would revert, such as "move"; "" if there is none."""
        if self._draft is not None and not _alike(self._now(), self._history.at):
            return ELSEWHERE
        return self._history.done[-1].label if self._history.done else ""

    @property
    def redo_label(self) -> str:
        """Label of the step that `redo` would repeat; "" if there is none."""
        if self._draft is not None and not _alike(self._now(), self._history.at):
            return ""
        return self._history.undone[-1].label if self._history.undone else ""

    @property
    def middle(self) -> tuple[float, float]:
        """Right ascension and declination of the image's center, degrees; of the projection center if the size is unknown."""
        plane, size = plane_of(self._placed_draft().values, self._size), self._size
        return plane.sky(size[0] / 2, size[1] / 2) if size else (plane.ra, plane.dec)

    def move(self, start: Any, end: Any) -> None:
        """Move the image so that the point at `start` comes to `end`: (RA, Dec) in degrees, astropy SkyCoord or text."""
        self._change("move", _mover(position(start, "start="), position(end, "end=")))

    def turn(self, angle: float, about: Any = None) -> None:
        """Rotate the image by `angle` degrees from north to east, about a position; by default its center."""
        self._change("rotation", _turner(_finite(angle, "angle"), self._about(about)))

    def scale(self, factor: float, about: Any = None) -> None:
        """Multiply the pixel scale by `factor`, about a position; by default the image's center."""
        self._change("scale", _scaler(_finite(factor, "factor"), self._about(about)))

    def mirror(self, about: Any = None) -> None:
        """Mirror the image left to right, about a position; by default its center. WWT can't draw mirrored tiles (``Tan``)."""
        self._change("mirroring", _mirrorer(self._about(about)))

    def align(
        self, stars: Iterable[tuple[Any, Any]], parity: int | None = None, size: tuple[int, int] | None = None
    ) -> float:
        """Align stars of the image with their positions: two or more determine center, scale and rotation.

        Parameters
        ----------
        stars : iterable of ((x, y), (ra, dec))
            Position in the image in pixels, right and down from its upper left corner, and in the sky: degrees, SkyCoord or text.
        parity : int, optional
            1 for an image as seen in the sky, -1 for a mirrored one. Three stars determine it; with two it stays as it is.
        size : (int, int), optional
            Width and height of the image in pixels, if the draft does not know it. For a tiled image by default that of all
            tiles of the deepest level together.

        Returns
        -------
        float
            Largest residual of a star, in pixels.
        """
        found: list[float] = []

        def solve(values: Snapshot) -> Snapshot:
            changes, error = aligned(values, stars, self._size or size, parity)
            found.append(error)
            pixel = plane_of({**values, **changes}).scale
            return transforms.tidy({path: changes[path] for path in PLACED}, pixel, is_tan(values))

        self._change("alignment", solve)
        return found[-1]

    def snap(self, reference: str | Path | None = None, *, accept: bool = True, timeout: float = TIMEOUT) -> Snapped:
        """Refine the placement by the sky behind the image, or by a FITS image of it, to a fraction of a pixel.

        Takes some seconds. The image must be placed within 20 % of its width, 10° and 5 % in scale of its true place; its parity
        is kept.

        Parameters
        ----------
        reference : str or Path, optional
            A FITS file with a WCS, of a survey for example. Default: the sky that the preview shows behind the image, without the
            image, grids and annotations; a page must show the preview. Choose a survey under “Sky” first: the offline sky
            is too coarse for most images.
        accept : bool, default True
            Whether the image is placed, as one step that `undo` reverts. If False, it is only shown there, with “Accept” and
            “Discard”; in Python, `accept` and `discard`.
        timeout : float, default 60
            Seconds to wait for the sky.

        Returns
        -------
        Snapped
            The new placement, with its `correlation`, `rms` and standard `error` (pixels), number of `parts` of the image that
            agree, and `confidence`.

        Raises
        ------
        SolveError
            If the image does not match, or the reference is too coarse; nothing is changed then.
        SourceError
            If a file can't be read, or the image's files are not on this machine.
        ConstellationsError
            If the placement can't be changed, or no page shows the sky in time.

        Examples
        --------
        >>> preview.placing.snap()
        >>> preview.placing.snap("dss_m51.fits").rms
        """
        if refusal := self.refusal:
            raise ConstellationsError(refusal)
        return self.snapping.run(reference, timeout, accept)

    def accept(self) -> None:
        """Place the image where ``snap(accept=False)`` has shown it, as one step.

        Raises
        ------
        ConstellationsError
            If no placement waits to be accepted.
        """
        self.snapping.accept()

    def discard(self) -> None:
        """Show the image where it is placed, in place of what ``snap(accept=False)`` has found."""
        self.snapping.discard()

    def undo(self) -> str:
        """Undo the last step; return its label, "" if there was none."""
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
        """Redo the step that was undone last; return its label, "" if there was none."""
        with self._lock:
            draft = self._editable()
            self._catch_up()
            history = self._history
            if not history.undone:
                return ""
            *undone, step = history.undone
            self._go(draft, step.before, _History(step.after, (*history.done, step), tuple(undone), history.drag))
            return step.label

    # -- to and from the page

    def status(self) -> PlacingStatus:
        """Return what can be done now, for the page. Takes no lock."""
        found = _plane(self._draft.values) if self._draft is not None else ""
        plane = None if isinstance(found, str) else found
        if (shown := self.snapping.found) is not None:
            plane = shown.plane  # what the page shows until it is accepted
        return {
            "refusal": self.refusal,
            "locked": self._draft is None or self._draft.locked,
            "undo": self.undo_label,
            "redo": self.redo_label,
            "size": self._size,
            "pixel": plane.scale if plane else None,
            "mirrored": plane.mirrored if plane else None,
            "snap": self.snapping.state,
        }

    def on_request(self, request: Mapping[str, Any]) -> str:
        """Carry out a change that a page requests; return a message about the result if it can't be seen."""
        kind = str(request.get("op"))
        if kind == "undo":
            return f"Undone: {label}." if (label := self.undo()) else "Nothing to undo."
        if kind == "redo":
            return f"Redone: {label}." if (label := self.redo()) else "Nothing to redo."
        if kind == "align":
            stars = request.get("stars")
            if not isinstance(stars, list) or len(stars) > _MOST_STARS:
                raise ConstellationsError("An alignment needs a list of stars.")
            error = self.align(stars, request.get("parity"), _whole_size(request.get("size")))
            if len(stars) == 2:
                return "The image is aligned with both stars. A third star would show the residual."
            return f"The image is aligned with {len(stars)} stars. Largest residual: {error:.2f} pixels."
        if kind not in _CHANGES:
            raise ConstellationsError(f"Unknown change of a placement: {kind[:40]!r}.")
        label, make = _CHANGES[kind]
        self._change(label, make(request), gesture=str(request.get("gesture", ""))[:80])
        return ""

    # -- implementation

    def _place_snapped(self, found: Snapped) -> None:
        from ...solving.snap import placement_of

        def place(values: Snapshot) -> Snapshot:
            placed = placement_of(found, values)
            return transforms.tidy({path: placed[path] for path in PLACED}, found.plane.scale, is_tan(values))

        self._change("snap", place)

    @property
    def _size(self) -> tuple[int, int] | None:
        """Width and height of the image in pixels; of a tiled one without its margins, if known."""
        draft = self._draft
        if draft is None:
            return None
        if draft.local is not None and draft.local.size is not None:
            return draft.local.size
        levels = number(draft.values, "wwt.tile_levels")
        tiled = is_tan(draft.values) and levels is not None and 0 <= levels <= 30
        return padded(int(levels), width_factor_of(draft.values)) if tiled and levels is not None else None

    def _placed_draft(self) -> ImageDraft | PublishedImage:
        if self._draft is None:
            raise ConstellationsError(self.refusal)
        return self._draft

    def _editable(self) -> ImageDraft | PublishedImage:
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
        """Record all changes made elsewhere since the last step as one step."""
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
                    "The placement was changed elsewhere during this drag; the sky shows that change."
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

    def _go(self, draft: ImageDraft | PublishedImage, now: Snapshot, then: _History) -> None:
        self._history = then
        draft.edit({path: value for path, value in then.at.items() if not _same(value, now[path])})


def _plane(values: Mapping[str, Any]) -> Plane | str:
    """Return the plane that a draft's values describe, or a message why there is none. Raises nothing, whatever was typed."""
    if text(values, "wwt.projection") not in ("Tan", "SkyImage"):
        projection = shown(values.get("wwt.projection"))
        return f"Only flat images (Tan, SkyImage) can be placed; the projection of this one is {projection}."
    try:
        return plane_of(values)
    except SourceError as error:
        return str(error)
    except ArithmeticError:
        return "The placement has numbers that are too small or too large for an image on the sky."


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same to a draft."""
    if one is other:
        return True
    plain = isinstance(one, (int, float, str)) and isinstance(other, (int, float, str))
    return plain and isinstance(one, bool) == isinstance(other, bool) and one == other


def _alike(one: Snapshot, other: Snapshot) -> bool:
    return all(_same(one[path], other[path]) for path in PLACED)


def _on_plane(change: Callable[[Plane], Plane]) -> Make:
    return lambda values: transforms.changes(values, change(plane_of(values)))


def _mover(start: tuple[float, float], end: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: transforms.moved(plane, start, end))


def _turner(angle: float, about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: transforms.turned(plane, angle, about))


def _scaler(factor: float, about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: transforms.scaled(plane, factor, about))


def _mirrorer(about: tuple[float, float]) -> Make:
    return _on_plane(lambda plane: transforms.mirrored(plane, about))


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
_CHANGES: dict[str, tuple[str, Callable[[Mapping[str, Any]], Make]]] = {
    "move": ("move", lambda asked: _mover(_place(asked, "start"), _place(asked, "end"))),
    "turn": ("rotation", lambda asked: _turner(_finite(asked.get("by"), "by"), _place(asked, "about"))),
    "scale": ("scale", lambda asked: _scaler(_finite(asked.get("by"), "by"), _place(asked, "about"))),
    "mirror": ("mirroring", lambda asked: _mirrorer(_place(asked, "about"))),
}
