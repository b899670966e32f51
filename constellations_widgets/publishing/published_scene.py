"""A scene at the server, whose text, link, view, background and publication can be changed; its images are fixed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..api.scene_changes import scene_changes, unmade_scene_changes
from ..autosave import first_values
from ..errors import ConflictError, InvalidError, SourceError
from ..schema.scenes import SceneReceipt, SceneRecord, SceneSummary
from ..schema.sky_view import SkyView
from ..text import one_line
from .published_record import PublishedRecord
from .save_report import Change
from .scene_values import BACKGROUND, FIELDS, LAYERS, LINK, PUBLISHED, TEXT, VIEW, SceneImage, SceneValues, same_value
from .sending_changes import send_change

if TYPE_CHECKING:
    from ..api import Constellations


class PublishedScene(PublishedRecord[SceneRecord], SceneValues):
    """A scene at the server, public or not: read, edited by attributes, and saved.

    Unsaved changes are kept on disk: what a crash or an unclear outcome interrupts is neither lost nor sent twice.

    >>> made = cxw.publish_scene(receipt, client, text="M51")
    >>> scene = cxw.PublishedScene(client, made)
    >>> scene.text = "The Whirlpool galaxy"
    >>> scene.save()

    Parameters
    ----------
    client : Constellations
        Where it is; signed in as its owner, to save.
    scene : str, SceneReceipt, SceneRecord or SceneSummary
        Its id, or an object that has it. The record is read again in any case.

    Attributes
    ----------
    text, outgoing_url : str
        Neither can be made empty: the server ignores that.
    view : SkyView
        In degrees.
    published : bool
        Whether the scene is public on the handle's page.
    background_id : str or None
        A background can be replaced, not removed.
    layers : tuple of SceneImage
        The images, the lowest first; fixed.

    Raises
    ------
    PublishError
        If a receipt is one of another API, or none of a scene.
    ApiError
        If the scene can't be read: NotFoundError where there is none.
    """

    _KIND = "scene"

    def __init__(self, client: Constellations, scene: str | SceneReceipt | SceneRecord | SceneSummary):
        super().__init__(**dict.fromkeys(FIELDS), layers=())
        self._name_record(client, scene, self._changes_as_text)
        self.reload()

    @property
    def changes(self) -> dict[str, Change]:
        """The values that differ from the server's record, by name: they wait to be saved."""
        with self._lock:
            pairs = {name: Change(self._base[name], getattr(self, name)) for name in self._base}
        return {name: change for name, change in pairs.items() if not same_value(name, change.before, change.after)}

    def request(self) -> dict[str, Any]:
        """Return the body that `save` would send; empty if nothing was changed.

        Raises
        ------
        InvalidError
            If a value can't be set.
        """
        return _body({name: change.after for name, change in self.changes.items()})

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Set several values by name, as one change.

        Raises
        ------
        KeyError
            If there is no such value.
        InvalidError
            If a value is fixed: the images of a scene are. Nothing is changed then.
        """
        if LAYERS in changes:
            raise InvalidError("The images of a scene can't be changed once it is made. Make a new scene of others.")
        super().edit(changes)

    def revert(self) -> None:
        """Discard all unsaved changes."""
        super().edit({name: change.before for name, change in self.changes.items()})

    def restore(self) -> None:
        """Apply the unsaved changes of an earlier kernel again: those of the newest readable file.

        A change that had reached the server is no change any more, and is not sent again.

        Raises
        ------
        SourceError
            If there are none.
        """
        if not self.earlier:
            raise SourceError(f"There are no earlier changes of scene {self._id} that were not saved")
        self.edit(self.earlier_changes)

    @property
    def earlier_changes(self) -> dict[str, Any]:
        """The values that `restore` would set, by name; empty if they are as they were left."""
        values = first_values(self.earlier) or {}
        found = {name: _from_text(name, value) for name, value in values.items() if name in FIELDS}
        return {name: value for name, value in found.items() if not same_value(name, value, getattr(self, name))}

    def forget_earlier(self) -> None:
        """Delete the newest file of `earlier`: its changes were restored, or are not wanted."""
        for path in self.earlier[:1]:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def save(self) -> SceneRecord:
        """Send the changes, verify that the server applied them, and return the record.

        The record is read again first: if a value that would be overwritten has changed on the server, nothing is sent.
        Saving twice does no harm: what is at the server already is not sent.

        Raises
        ------
        ConflictError
            If the same values changed on the server meanwhile; nothing was sent. The other values are updated, and
            `changes` shows theirs → yours: `save` again writes yours over them, `revert` takes theirs.
        ForbiddenError, NotFoundError, SignInError, NotSentError
            If the scene is not this account's or does not exist, or nothing was sent.
        InvalidError
            If a value can't be set.
        BadAnswerError
            If the server reported success but did not make all changes.
        UnclearError
            If the outcome is unknown. The changes are kept: save again.
        """
        with self._one_save:
            values = {name: change.after for name, change in self.changes.items()}
            if not values:
                return self.record
            body, seen = _body(values), self.record
            arguments = {"place" if name == VIEW else name: value for name, value in values.items()}
            try:
                record = send_change(
                    lambda: self._client.update_scene(self._id, **arguments, seen=seen),
                    lambda: self._client.scene(self._id),
                    lambda record: not unmade_scene_changes(body, record),
                )
            except ConflictError as error:
                self._take(cast(SceneRecord, error.record))
                raise
            self._take(record, values)
            return record

    def _read_record(self) -> SceneRecord:
        return self._client.scene(self._id)

    def _read_may_edit(self) -> bool:
        return self._client.may_edit_scene(self._id)

    _is_same = staticmethod(same_value)

    def _take(self, record: SceneRecord, made: dict[str, Any] | None = None) -> None:
        """Make `record` the base. Changes that were `made`, and unchanged values, follow it."""
        base = {
            TEXT: record.text,
            LINK: record.outgoing_url,
            VIEW: record.view,
            PUBLISHED: record.published,
            BACKGROUND: record.background_id,
        }
        with self._lock:
            made = made or {}
            kept = [name for name in self.changes if not (name in made and getattr(self, name) == made[name])]
            self._record, self._base = record, base
            layers = tuple(itertools.starmap(SceneImage.in_scene, record.layers))
            self.__dict__.update({name: value for name, value in base.items() if name not in kept}, layers=layers)
        self._notify(frozenset({"record"}))

    def _notify(self, names: frozenset[str]) -> None:
        self._unsaved.touch()
        super()._notify(names)

    def _changes_as_text(self) -> dict[str, Change]:
        return {name: Change(None, _to_text(name, change.after)) for name, change in self.changes.items()}

    def __repr__(self) -> str:
        count = len(self.changes)
        unsaved = f"{count} unsaved change{'s' * (count != 1)}" if count else "as the server has it"
        state = "published" if self.record.published else "not published"
        return f"<PublishedScene {self._id}: {one_line(self.text, 60)!r} under {self.record.handle.handle!r}, {state}, {unsaved}>"


def _body(values: dict[str, Any]) -> dict[str, Any]:
    if not values:
        return {}
    wanted = {"text": None, "outgoing_url": None, "published": None, "background_id": None, **values}
    return scene_changes(place=wanted.pop(VIEW, None), **wanted)


def _to_text(name: str, value: Any) -> Any:
    return json.dumps(dataclasses.asdict(value)) if name == VIEW and value is not None else value


def _from_text(name: str, value: Any) -> Any:
    return SkyView(**json.loads(value)) if name == VIEW and isinstance(value, str) else value
