"""Draw the small all-sky that stands behind the image: sky_0.jpg (RA 0 to 180) and sky_1.jpg (RA 180 to 360).

Stars (Hipparcos, to magnitude 6) and the outline of the Milky Way come from the npm package
d3-celestial (BSD license, see SKY-LICENSE). To draw them again:

    npm pack d3-celestial && tar xf d3-celestial-*.tgz && python tools/make_sky.py package
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 4096, 2048  # drawn at twice the size that is kept, for smooth edges
GROUND = (7, 8, 15)
GLOW = np.array([7.0, 7.5, 9.0])  # added by each of the five contours of the Milky Way
DATA = Path(__file__).parents[1] / "constellations_widgets" / "widgets" / "data"


def pixel(ra: float, dec: float) -> tuple[float, float]:
    """WWT's equirectangular sky: RA 0 at the left edge, growing to the right."""
    return ra % 360 / 360 * WIDTH, (90 - dec) / 180 * HEIGHT


def milky_way(folder: Path) -> np.ndarray:
    """How many contours lie over each pixel."""
    depth = np.zeros((HEIGHT, WIDTH))
    for contour in json.loads((folder / "mw.json").read_text())["features"]:
        layer = Image.new("1", (WIDTH, HEIGHT))
        for polygon in contour["geometry"]["coordinates"]:
            # Rings are filled by parity, so that holes stay holes. One that runs round the whole sky is closed over the pole:
            # the northern edge of the Milky Way takes from the southern one's area what lies outside.
            for ring in polygon:
                area = Image.new("1", (WIDTH, HEIGHT))
                points = np.array(ring)
                ra = np.rad2deg(np.unwrap(np.deg2rad(points[:, 0])))
                dec = points[:, 1]
                if abs(ra[-1] - ra[0]) > 180:
                    ra, dec = np.append(ra, [ra[-1], ra[0]]), np.append(dec, [100, 100])
                for turn in (-720, -360, 0, 360, 720):
                    outline = [
                        ((r + turn) / 360 * WIDTH, (90 - d) / 180 * HEIGHT) for r, d in zip(ra, dec, strict=True)
                    ]
                    ImageDraw.Draw(area).polygon(outline, fill=1)
                layer = Image.fromarray(np.asarray(layer) ^ np.asarray(area))
        depth += np.asarray(layer)
    blurred = Image.fromarray((depth * 40).clip(0, 255).astype("u1")).filter(ImageFilter.GaussianBlur(14))
    return np.asarray(blurred) / 40


def main(package: Path) -> None:
    folder = package / "data"
    sky = Image.fromarray((np.array(GROUND) + milky_way(folder)[..., None] * GLOW).clip(0, 255).astype("u1"))
    draw = ImageDraw.Draw(sky)
    for star in json.loads((folder / "stars.6.json").read_text())["features"]:
        (ra, dec), magnitude = star["geometry"]["coordinates"], star["properties"]["mag"]
        x, y = pixel(ra, dec)
        radius = max(0.7, (6.5 - magnitude) * 0.62)
        wide = radius / max(0.05, np.cos(np.deg2rad(dec)))  # the projection stretches the poles
        gray = int(np.clip(255 * (1.15 - magnitude / 8), 60, 255))
        for turn in (-WIDTH, 0, WIDTH):
            draw.ellipse(
                [x + turn - wide, y - radius, x + turn + wide, y + radius], fill=(gray, gray, min(255, gray + 15))
            )
    half = WIDTH // 2
    for index in range(2):
        tile = sky.crop((index * half, 0, (index + 1) * half, HEIGHT)).resize((1024, 1024), Image.Resampling.LANCZOS)
        tile.save(DATA / f"sky_{index}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
