"""Keep the messages that a page needs to show everything that a program has sent to WWT so far.

A page may open late (a second view, a reload) and its frame may be rebuilt (a cell that was moved). So of the messages to WWT's
app those are kept that still say something: the last value of each setting, what was made and not removed, where to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]

# Event → the fields that make one of its messages replace another. In the order in which a page must receive them: an image can't be
# shown before its collection is loaded.
_STATE: dict[str, tuple[str, ...]] = {
    "load_image_collection": ("url",),
    "set_viewer_mode": (),
    "set_background_by_name": (),
    "set_foreground_by_name": (),
    "set_foreground_opacity": (),
    "modify_settings": (),
    "setting_set": ("setting",),
    "track_object": (),
    "set_datetime": (),
    "pause_time": (),
    "resume_time": (),
}

# The same for layers and annotations, which have an id; None: each message adds something.
_THING: dict[str, tuple[str, ...] | None] = {
    "image_layer_create": (),
    "image_layer_order": (),
    "image_layer_stretch": (),
    "image_layer_cmap": (),
    "image_layer_set": ("setting",),
    "table_layer_create": (),
    "table_layer_set": ("setting",),
    "modify_selectability": (),
    "layer_hipscat_load": (),
    "annotation_create": (),
    "annotation_set": ("setting",),
    "circle_set_center": (),
    "line_add_point": None,
    "polygon_add_point": None,
}
_REMOVE = {"image_layer_remove", "table_layer_remove", "remove_annotation"}

# Event → the earlier events that it undoes.
_UNDONE = {
    "set_viewer_mode": ("set_background_by_name", "set_foreground_by_name"),
    "set_background_by_name": ("set_viewer_mode",),
    "pause_time": ("resume_time",),
    "resume_time": ("pause_time",),
}


def event_of(message: Mapping[str, Any]) -> str:
    """Return the kind of a message; the app accepts either key."""
    return str(message.get("type") or message.get("event"))


def moves_view(message: Mapping[str, Any]) -> bool:
    """Return whether the app goes somewhere else by this message: where it is sent, or to a new image."""
    event = event_of(message)
    return event == "center_on_coordinates" or (event == "image_layer_create" and message.get("goto") is not False)


class Replay:
    """Messages that still matter. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._state: dict[str, dict[tuple[Any, ...], Message]] = {event: {} for event in _STATE}
        self._things: dict[Any, dict[tuple[Any, ...], Message]] = {}
        self._camera: Message | None = None
        self._roll: Any = None  # a later message that names no roll leaves it as it is

    def note(self, message: Message) -> None:
        """Remember what `message` changes; what only happens once (a tour, a question) is not kept."""
        event = event_of(message)
        for undone in _UNDONE.get(event, ()):
            self._state[undone].clear()
        if event in _STATE:
            self._state[event][tuple(message.get(field) for field in _STATE[event])] = message
        elif event in _THING:
            self._note_thing(event, message)
        elif event in _REMOVE:
            self._things.pop(message.get("id"), None)
        elif event == "clear_annotations":
            self._things = {id: thing for id, thing in self._things.items() if ("annotation_create",) not in thing}
        elif event == "table_layer_update":
            self._renew_table(message)
        if event in ("center_on_coordinates", "image_layer_create"):  # the app goes to a new image
            self._camera = message
            self._roll = message.get("roll", self._roll)

    def messages(self) -> list[Message]:
        """Return the messages in order. The view jumps to its last position, without those before it."""
        kept = [message for messages in self._state.values() for message in messages.values()]
        for thing in self._things.values():
            for message in thing.values():
                if event_of(message) == "image_layer_create":
                    message = {**message, "goto": message is self._camera}
                kept.append(message)
        if self._camera is not None and event_of(self._camera) == "center_on_coordinates":
            roll = {} if self._roll is None else {"roll": self._roll}
            kept.append({**self._camera, **roll, "instant": True})
        return kept

    def _note_thing(self, event: str, message: Message) -> None:
        thing = self._things.setdefault(message.get("id", message.get("tableId")), {})
        fields = _THING[event]
        further = (len(thing),) if fields is None else tuple(message.get(field) for field in fields)
        thing[event, *further] = message

    def _renew_table(self, message: Message) -> None:
        thing = self._things.get(message.get("id"), {})
        made = thing.get(("table_layer_create",))
        if made is not None:
            thing["table_layer_create",] = {**made, "table": message.get("table")}
