"""Write the footprint of NASA's K2 mission, k2.json: the camera's channels, and where it pointed in each campaign.

The numbers are those of K2fov (MIT license, see K2-LICENSE). To write them again:

    pip install K2fov && python tools/make_k2.py

A channel is a quarter of a module of the camera. Its corners are unit vectors in a frame whose x axis is the boresight; a campaign
is the right ascension and declination of the boresight and the camera's angle around it, in degrees.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np

fields, fov = (importlib.import_module(f"K2fov.{name}") for name in ("fields", "fov"))

DATA = Path(__file__).parents[1] / "constellations_widgets" / "widgets" / "data"
STARS = range(1, 85)  # the channels for science; the others keep the telescope on its guide stars


def pointing(campaign: int) -> list[float]:
    info = fields.getFieldInfo(campaign)
    return [info["ra"], info["dec"], round(fov.getFovAngleFromSpacecraftRoll(info["roll"]), 7)]


def main() -> None:
    numbers = fields.getFieldNumbers()
    camera = fields.getKeplerFov(numbers[0])
    rows = {channel: camera.origin[camera.origin[:, 2] == channel, 3:6] for channel in STARS}
    channels = {channel: np.round(corners, 6).tolist() for channel, corners in rows.items()}
    campaigns = [
        {"pointing": pointing(number), "broken": sorted(fields.getKeplerFov(number).brokenChannels)}
        for number in numbers
    ]
    content = {"channels": channels, "campaigns": campaigns}
    (DATA / "k2.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
