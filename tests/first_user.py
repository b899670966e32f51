"""What a first user does with the installed wheel; run by `test_installed_wheel.py` where nothing else is installed."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import pyavm
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

import constellations_widgets as cxw

WTML = """<Folder><Place><ForegroundImageSet><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png"
Projection="Tan" TileLevels="4" CenterX="202.47" CenterY="47.2" BaseDegreesPerTile="0.5" Rotation="12.5" OffsetX="0" OffsetY="0"
FileType=".png" WidthFactor="2" DataSetType="Sky" BandPass="Visible" BottomsUp="False" Sparse="True">
<ThumbnailUrl>https://example.org/m51/thumb.jpg</ThumbnailUrl></ImageSet></ForegroundImageSet></Place></Folder>"""


def drafts(folder: Path) -> dict[str, cxw.ImageDraft]:
    """Make drafts of a WTML, a FITS and an AVM file."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [202.47, 47.2]
    wcs.wcs.crpix, wcs.wcs.cdelt = [150.5, 100.5], [-1e-3, 1e-3]
    pixels = np.arange(60_000, dtype="float32").reshape(200, 300)
    (folder / "index.wtml").write_text(WTML)
    fits.writeto(folder / "m51.fits", pixels, wcs.to_header())
    Image.fromarray((pixels / 256).astype("uint8")).convert("RGB").save(folder / "plain.jpg")
    pyavm.AVM.from_wcs(wcs, shape=pixels.shape).embed(str(folder / "plain.jpg"), str(folder / "m51.jpg"))
    return {
        "WTML": cxw.ImageDraft.from_wtml(folder / "index.wtml"),
        "FITS": cxw.ImageDraft.from_fits(folder / "m51.fits"),
        "AVM": cxw.ImageDraft.from_image(folder / "m51.jpg"),
    }


def publish(draft: cxw.ImageDraft) -> str:
    """Publish a draft to a sandbox, which hosts its file; return the id on the server."""
    with cxw.Sandbox() as box, box.client() as client:
        cxw.host(draft, box)
        draft.update(
            {
                "permissions.copyright": "Copyright 2026 Jane Doe",
                "permissions.license": "CC-BY-4.0",
                "note": "M 51",
                "alt_text": "A gray ramp.",
            }
        )
        receipt = cxw.publish_draft(draft, client, box.handle, anyway=True)
        assert client.image(receipt.id).note == "M 51"
        return receipt.id


def missing(folder: Path, draft: cxw.ImageDraft) -> list[str]:
    """Return the message for each thing that needs an extra."""
    needs = [
        lambda: cxw.Preview(draft).wwt,
        lambda: cxw.Preview(draft).figure(),
        lambda: cxw.tile(folder / "m51.fits", folder / "fits").result(),
        lambda: cxw.tile(folder / "m51.jpg", folder / "picture").result(),
        lambda: cxw.host(draft, "s3://bucket/m51"),
        lambda: cxw.host(draft, "sftp://localhost/m51"),
        lambda: cxw.host(draft, "webdavs://localhost/m51"),
    ]
    messages = []
    for need in needs:
        with contextlib.suppress(cxw.ConstellationsError):
            try:
                need()
            except cxw.ConstellationsError as error:
                messages.append(str(error))
                raise
    return messages


def main(folder: Path) -> None:
    """Print what was made."""
    made = drafts(folder)
    cxw.Preview(made["FITS"]).to_html(folder / "m51.html")
    found = {
        "centers": {name: [draft.wwt.center_x, draft.wwt.center_y] for name, draft in made.items()},
        "page": (folder / "m51.html").stat().st_size,
        "still": "image/png" in cxw.Preview(made["AVM"])._repr_mimebundle_()[0],
        "missing": missing(folder, made["AVM"]),
        "published": publish(made["AVM"]),
        "heavy": sorted({"pywwt", "toasty", "matplotlib", "reproject"} & set(sys.modules)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
