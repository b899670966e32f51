"""List, show and change scenes."""

from __future__ import annotations

from typing import Any

from ..schema.scenes import SceneRecord, SceneSummary
from ..text import one_line
from .accounts import client, reader
from .output import print_json


def list_scenes(handle: str, api_url: str | None, *, as_json: bool) -> int:
    """Print a handle's scenes, newest first."""
    with client(api_url) as signed_in:
        found = signed_in.scenes(handle)
        if as_json:
            print_json([scene.model_dump(mode="json") for scene in found])
        else:
            for scene in found:
                print(_line(scene))
    return 0


def show(id: str, api_url: str | None, *, as_json: bool) -> int:
    """Print one scene."""
    with reader(api_url) as anyone:
        scene = anyone.scene(id)
    if as_json:
        print_json(scene.model_dump(mode="json"))
        return 0
    print(_line(scene))
    view = scene.view
    if view is not None:
        print(f"  view: RA {view.ra:.5f}°, Dec {view.dec:.5f}°, height {view.height:g}°, roll {view.roll:g}°")
    for label, text in (("link", scene.outgoing_url), ("background", scene.background_id)):
        if text:
            print(f"  {label}: {text}")
    for image, opacity in scene.layers:
        print(f"  image: {image['id']}, opacity {opacity:g}")
    return 0


def edit(id: str, api_url: str | None, **changes: Any) -> int:
    """Change a scene as it is now, and print it."""
    with client(api_url) as signed_in:
        seen: SceneRecord = signed_in.scene(id)
        print(_line(signed_in.update_scene(id, seen=seen, **changes)))
    return 0


def _line(scene: SceneSummary) -> str:
    counts = ", ".join(f"{getattr(scene, name)} {name}" for name in ("impressions", "likes", "clicks", "shares"))
    when = f"{scene.creation_date:%Y-%m-%d}  " if scene.creation_date else ""
    state = "published" if scene.published else "hidden"
    return f"{scene.id}  {when}{state:<9}  {one_line(scene.text, 60)}  ({counts})"
