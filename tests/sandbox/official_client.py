"""Run by the official client's own Python: add, read, list, find and change images; print what came back as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from wwt_api_client.constellations import CxClient
from wwt_api_client.constellations.data import (
    ImageContentPermissions,
    ImageStorage,
    ImageUpdate,
    ImageWwt,
    SceneContent,
    SceneImageLayer,
    ScenePlace,
)
from wwt_api_client.constellations.handles import AddImageRequest, AddSceneRequest
from wwt_data_formats.imageset import ImageSet

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

result = {
    "ids": [first, second],
    "handle": asdict(handle.get()),
    "may": [handle.permissions().view_dashboard, opened.permissions().edit],
    "before": asdict(before),
    "after": asdict(opened.get()),
    "second": asdict(client.image_client(second).get()),
    "listed": [(each.id, each.note) for each in handle.image_info(0, 10)],
    "found": [each.id for each in client.find_images_by_wwt_url(url)],
    "not_found": client.find_images_by_wwt_url(url + "nowhere"),
    "backgrounds": client.get_builtin_backgrounds(),
    "stats": asdict(handle.stats()),
    "wtml": opened.imageset_object().url,
    "scene": client.scene_client(scene).get().text,
    "timeline": [each.id for each in handle.get_timeline(0)],
    "scene_id": scene,
}
print(json.dumps(result))
