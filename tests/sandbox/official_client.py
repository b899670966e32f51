"""Run by the official client's own Python: make each of its public calls; print what came back as JSON."""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import asdict
from typing import Any

from wwt_api_client.constellations import CxClient
from wwt_api_client.constellations.data import (
    HandleUpdate,
    ImageContentPermissions,
    ImageStorage,
    ImageUpdate,
    ImageWwt,
    SceneContent,
    SceneContentUpdate,
    SceneImageLayer,
    ScenePlace,
    SceneUpdate,
)
from wwt_api_client.constellations.handles import AddImageRequest, AddSceneRequest, HandleClient
from wwt_api_client.constellations.images import ImageClient
from wwt_api_client.constellations.scenes import SceneClient
from wwt_data_formats.imageset import ImageSet
from wwt_data_formats.place import Place

uncalled: set[str] = set()


def watch(owner: type) -> None:
    """Note which public calls of a class are not made."""

    def noted(name: str, function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            uncalled.discard(name)
            return function(*arguments, **options)

        return call

    for name, function in list(vars(owner).items()):
        if inspect.isfunction(function) and not name.startswith("_"):
            full_name = f"{owner.__name__}.{name}"
            uncalled.add(full_name)
            setattr(owner, name, noted(full_name, function))


for owner in (CxClient, HandleClient, ImageClient, SceneClient):
    watch(owner)
public = len(uncalled)

handle_name, url = sys.argv[1:]
client = CxClient()
handle = client.handle_client(handle_name)

image = AddImageRequest(
    wwt=ImageWwt(
        base_degrees_per_tile=1.5, bottoms_up=False, center_x=10.25, center_y=-20.5, file_type=".png", offset_x=0.1,
        offset_y=-0.2, projection="Tan", quad_tree_map="", rotation=12.5, tile_levels=4, width_factor=2,
        thumbnail_url="http://example.com/t.jpg",
    ),
    permissions=ImageContentPermissions(copyright="Copyright X", license="CC-BY-4.0", credits="By <b>me</b>"),
    storage=ImageStorage(legacy_url_template=url),
    note="A note",
    alt_text="Alt",
)  # fmt: skip
before_handle = asdict(handle.get())
first = handle.add_image(image)

imageset = ImageSet()
imageset.name, imageset.url, imageset.credits = "From an imageset", f"{url}#2", "A & B"
imageset.thumbnail_url = "http://example.com/2.jpg"
second = handle.add_image_from_set(imageset, "Public domain", "CC-PDDC")

opened = client.image_client(first)
before = opened.get()
opened.update(ImageUpdate(note="Changed", permissions=ImageContentPermissions(copyright="Y", license="MIT")))
layers = SceneContent(image_layers=[SceneImageLayer(image_id=first, opacity=1.0)])
place = ScenePlace(ra_rad=1.0, dec_rad=0.5, roll_rad=0.0, roi_height_deg=2.0, roi_aspect_ratio=1.0)
scene = handle.add_scene(AddSceneRequest(place=place, content=layers, text="Look", published=True))

wwt_place = Place()
wwt_place.ra_hr, wwt_place.dec_deg, wwt_place.zoom_level, wwt_place.name = 3.0, -30.0, 12.0, "From a place"
wwt_place.foreground_image_set = imageset
hidden = handle.add_scene_from_place(wwt_place, publish=False)
timeline = [each.id for each in handle.get_timeline(0)]

of_scene = client.scene_client(scene)
of_scene.update(SceneUpdate(text="Changed", outgoing_url="http://example.com", content=SceneContentUpdate(second)))
handle.update(HandleUpdate(display_name="Renamed"))
place_folder = of_scene.place_folder()

result = {
    "ids": [first, second],
    "handle": before_handle,
    "renamed": asdict(handle.get()),
    "may": [handle.permissions().view_dashboard, opened.permissions().edit],
    "before": asdict(before),
    "after": asdict(opened.get()),
    "second": asdict(client.image_client(second).get()),
    "listed": [(each.id, each.note) for each in handle.image_info(0, 10)],
    "found": [each.id for each in client.find_images_by_wwt_url(url)],
    "not_found": client.find_images_by_wwt_url(url + "nowhere"),
    "backgrounds": [each.id for each in client.get_builtin_backgrounds()],
    "stats": asdict(handle.stats()),
    "wtml": opened.imageset_object().url,
    "wtml_urls": [opened.imageset_wtml_url(), of_scene.place_wtml_url()],
    "imagesets": [each.name for each in opened.imageset_folder().children],
    "scene": asdict(of_scene.get()),
    "from_place": asdict(client.scene_client(hidden).get()),
    "may_edit_scene": of_scene.permissions().edit,
    "place": [place_folder.name, of_scene.place_object().ra_hr, of_scene.place_object().foreground_image_set.url],
    "scene_info": [(each._id, each.text, each.published) for each in handle.scene_info(0, 10)],
    "timeline": timeline,
    "home": [each.id for each in client.get_home_timeline(0)],
    "scene_ids": [scene, hidden],
}
result |= {"public": public, "uncalled": sorted(uncalled)}
print(json.dumps(result))
