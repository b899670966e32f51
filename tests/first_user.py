"""What a first user does with the installed wheel; run by `test_installed_wheel.py` where nothing else is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
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


def missing(folder: Path, draft: cxw.ImageDraft) -> dict[str, str]:
    """Return the message for each thing that needs an extra; keys are the extra, the package and what needs it."""
    picture, survey, plain = folder / "m51.jpg", folder / "m51.fits", folder / "plain.jpg"
    needs = {
        "wwt pywwt preview": lambda: cxw.Preview(draft).wwt,
        "wwt matplotlib figure": lambda: cxw.Preview(draft).figure(),
        "wwt toasty tile": lambda: cxw.tile(survey, folder / "fits").result(),
        "tiling toasty tile": lambda: cxw.tile(picture, folder / "picture").result(),
        "tiling toasty tile_all": lambda: raise_first(cxw.tile_all([picture], folder / "all")),
        "tiling toasty command": lambda: run_command("tile", picture, "--out", folder / "command"),
        "hosting obstore s3": lambda: cxw.host(draft, "s3://bucket/m51"),
        "hosting obstore gs": lambda: cxw.host(draft, "gs://bucket/m51"),
        "hosting obstore az": lambda: cxw.host(draft, "az://bucket/m51"),
        "hosting sshfs sftp": lambda: cxw.host(draft, "sftp://localhost/m51"),
        "hosting webdav4 webdavs": lambda: cxw.host(draft, "webdavs://localhost/m51"),
        "hosting obstore host_all": lambda: raise_first(cxw.host_all([draft], "s3://bucket/m51")),
        "hosting obstore command": lambda: run_command("host", picture, "--to", "s3://bucket/m51"),
        "solve sep solve": draft.solve,
        "solve sep find_position": lambda: cxw.find_position(plain).result(),
        "solve sep from_image": lambda: cxw.ImageDraft.from_image(plain, solve=True),
        "solve sep from_fits": lambda: cxw.ImageDraft.from_fits(survey, solve=True),
        "solve scipy snap": lambda: cxw.Preview(draft).placing.snap(survey),
    }
    return {name: message_of(need) for name, need in needs.items()}


def without_sandbox(folder: Path) -> dict[str, str]:
    """Return the message for each thing that needs the extra of the sandbox. Call it before anything uses the sandbox."""
    sys.modules["uvicorn"] = None  # type: ignore[assignment]  # as if it was not installed
    try:
        needs = {
            "sandbox uvicorn Sandbox": lambda: cxw.Sandbox(),
            "sandbox uvicorn running_sandbox": lambda: cxw.running_sandbox(),
            "sandbox uvicorn publish": lambda: cxw.publish(folder / "m51.jpg"),
            "sandbox uvicorn command": lambda: run_command("sandbox"),
        }
        return {name: message_of(need) for name, need in needs.items()}
    finally:
        del sys.modules["uvicorn"]


def message_of(need: Callable[[], object]) -> str:
    """Return the message of the error that a call raises; "" if it raises none."""
    try:
        need()
    except cxw.ConstellationsError as error:
        return str(error)
    return ""


def raise_first(outcomes: list[cxw.Outcome]) -> None:
    """Raise the first error of some outcomes."""
    raise cxw.ConstellationsError(next(str(outcome.error) for outcome in outcomes if outcome.error))


def run_command(*words: object) -> None:
    """Run the command line; raise what it prints if it fails."""
    command = [sys.executable, "-m", "constellations_widgets", *map(str, words)]
    if "sandbox" in words:
        program = "import sys; sys.modules['uvicorn'] = None; from constellations_widgets.__main__ import main; sys.exit(main())"
        command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise cxw.ConstellationsError(done.stdout + done.stderr)


def main(folder: Path) -> None:
    """Print what was made."""
    made = drafts(folder)
    lacking = without_sandbox(folder) | missing(folder, made["AVM"])
    cxw.Preview(made["FITS"]).to_html(folder / "m51.html")
    found = {
        "centers": {name: [draft.wwt.center_x, draft.wwt.center_y] for name, draft in made.items()},
        "page": (folder / "m51.html").stat().st_size,
        "still": "image/png" in cxw.Preview(made["AVM"])._repr_mimebundle_()[0],
        "missing": lacking,
        "published": publish(made["AVM"]),
        "heavy": sorted({"pywwt", "toasty", "matplotlib", "reproject"} & set(sys.modules)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
