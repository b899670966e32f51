"""Out again: WTML, a FITS header, a line for the shell and Python, each of which makes the same draft again."""

from __future__ import annotations

import json
import math
import os
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from astropy.io import fits
from astropy.wcs import WCS
from examples import TILED, UNTILED
from hypothesis import example, given
from hypothesis import strategies as st
from wwt_data_formats.folder import Folder
from wwt_data_formats.imageset import ImageSet

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import DraftError, SourceError
from constellations_widgets.schema.fields import fields
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.preview.imageset import imageset_of
from constellations_widgets.wtml import drawn_wtml

KEPT = [path for path in fields() if path.startswith("wwt.")] + [
    "storage.legacy_url_template",
    "permissions.credits",
    "note",
]


def draft_of(values: dict[str, Any], name: str = "M 51") -> ImageDraft:
    return ImageDraft(ParsedImage(values, name), autosave=False)


@pytest.mark.parametrize("values", [TILED, UNTILED], ids=["tiled", "untiled"])
def test_wtml_is_read_again_as_it_was_and_by_wwt_data_formats(values, tmp_path):
    draft = draft_of(values)
    text = draft.to_wtml(tmp_path / "m51.wtml")
    assert (tmp_path / "m51.wtml").read_text(encoding="utf-8") == text
    for source in (text, tmp_path / "m51.wtml"):
        again = ImageDraft.from_wtml(source, autosave=False)
        assert {path: again[path] for path in KEPT} == {path: draft[path] for path in KEPT}
    [place] = Folder.from_file(str(tmp_path / "m51.wtml")).children
    peer = place.foreground_image_set
    assert (peer.center_x, peer.rotation_deg, peer.url) == (202.47, 12.5, draft.storage.legacy_url_template)
    assert place.ra_hr == pytest.approx(202.47 / 15) and peer.credits == draft.permissions.credits


FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20).map(
    str.strip
)


@given(
    st.fixed_dictionaries(
        {f"wwt.{name}": FINITE for name in ("center_x", "center_y", "rotation", "offset_x", "offset_y")}
    ),
    st.fixed_dictionaries(
        {"note": TEXT, "wwt.thumbnail_url": TEXT, "permissions.credits": st.sampled_from(["", "a & b", "<b>A</b>"])}
    ),
    st.text(max_size=10),
)
def test_wtml_keeps_every_number_and_text(numbers, texts, name):
    draft = draft_of(TILED | numbers | texts, name)
    again = ImageDraft.from_wtml(draft.to_wtml(), autosave=False)
    assert {path: again[path] for path in numbers} == numbers
    assert (
        again.permissions.credits == texts["permissions.credits"]
        and again.wwt.thumbnail_url == texts["wwt.thumbnail_url"]
    )
    if texts["note"]:
        assert again.note == texts["note"]


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY_WTML_VALUES = st.fixed_dictionaries(
    {}, optional={path: st.just(TILED[path]) | st.just(UNTILED[path]) | ANYTHING for path in KEPT}
)


@given(ANY_WTML_VALUES, st.text(max_size=8))
@example({"wwt.center_x": None, "wwt.width_factor": None}, "")  # were read as 0, and as 1
@example({"note": "M 51 by me"}, "M 51")
@example({"note": "a\r\nb", "permissions.credits": "a < b", "wwt.tile_levels": "4.0", "wwt.bottoms_up": "1"}, "M 51")
def test_export_import_export_changes_nothing(changes, name):
    draft = draft_of(TILED | changes, name)
    exported = draft.to_wtml()
    again = ImageDraft.from_wtml(exported, autosave=False)
    assert again.to_wtml() == exported
    kinds = {"number": float, "integer": int, "boolean": bool}
    numbers = [path for path in KEPT if type(draft[path]) is kinds.get(fields()[path].kind)]
    assert [repr(again[path]) for path in numbers] == [repr(draft[path]) for path in numbers]


@given(ANY_WTML_VALUES, st.sampled_from([TILED, UNTILED]))
@example({"wwt.file_type": "\x08"}, TILED)  # the preview's WTML was not XML
def test_what_the_preview_draws_is_what_is_exported(changes, values):
    draft = draft_of(values | changes)
    imageset, waiting = imageset_of(draft.values, draft.storage.legacy_url_template or "")
    if imageset is None or waiting:
        return
    [drawn] = ElementTree.fromstring(drawn_wtml(imageset, "it", "https://example.org"))
    [exported] = ElementTree.fromstring(draft.to_wtml()).iter("ImageSet")
    about = {"Name", "Url", "BaseDegreesIs"}
    assert {name: text for name, text in drawn.items() if name not in about} == {
        name: text for name, text in exported.items() if name not in about
    }


@given(
    st.sampled_from(sorted(fields())),
    st.one_of(st.none(), st.text(max_size=5), st.floats(), st.booleans(), st.integers()),
)
def test_whatever_stands_in_a_draft_it_is_written(path, value):
    draft = draft_of(TILED | {path: value})
    assert draft.to_wtml().startswith("<Folder")
    assert "ImageDraft" in draft.to_python()


def test_wtml_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(SourceError, match="can't be written"):
        draft_of(TILED).to_wtml(tmp_path / "missing" / "m51.wtml")


def test_the_header_of_an_untiled_image_is_that_of_wwt_data_formats():
    peer, draft, height = ImageSet(), draft_of(UNTILED), 600
    (peer.center_x, peer.center_y, peer.rotation_deg) = (draft.wwt.center_x, draft.wwt.center_y, draft.wwt.rotation)
    (peer.offset_x, peer.offset_y) = (draft.wwt.offset_x, draft.wwt.offset_y)
    peer.bottoms_up, peer.base_degrees_per_tile = True, draft.wwt.base_degrees_per_tile
    theirs = peer.wcs_headers_from_position(height=height)  # for rows from the top
    header = draft.to_wcs_header((800, height))
    flipped = theirs | {"CRPIX2": height + 1 - theirs["CRPIX2"], "CD1_2": -theirs["CD1_2"], "CD2_2": -theirs["CD2_2"]}
    assert {name: header[name] for name in flipped} == pytest.approx(flipped)
    assert (header["IMAGEW"], header["IMAGEH"], header["LONPOLE"], header["RADESYS"]) == (800, 600, 180, "ICRS")


def test_a_header_makes_the_same_draft_again():
    draft = draft_of(UNTILED)
    again = ImageDraft.from_fits(draft.to_wcs_header((800, 600)), autosave=False)
    for path, value in UNTILED.items():
        if path.startswith("wwt.") and path not in ("wwt.thumbnail_url", "wwt.file_type"):
            assert again[path] == (pytest.approx(value) if isinstance(value, float) else value), path


def test_the_header_of_tiles_counts_the_pixels_of_all_of_them_or_those_of_the_image():
    draft = draft_of(TILED)
    together = draft.to_wcs_header()
    assert (together["IMAGEW"], together["IMAGEH"]) == (4096, 4096)
    image = draft.to_wcs_header((3000, 2001))
    left, below = (4096 - 3000) // 2, 4096 - (4096 - 2001) // 2 - 2001
    for x, y in ((1, 1), (3000, 2001)):
        there = WCS(image).wcs_pix2world([[x, y]], 1)
        assert WCS(together).wcs_world2pix(there, 1)[0] == pytest.approx((x + left, y + below), abs=1e-6)


def test_what_is_on_no_plane_has_no_header():
    with pytest.raises(SourceError, match="'Toast' is not a plane"):
        draft_of(TILED | {"wwt.projection": "Toast"}).to_wcs_header()
    with pytest.raises(SourceError, match="not complete"):
        draft_of(TILED | {"wwt.rotation": "north"}).to_wcs_header()


def test_the_line_for_the_shell_is_the_exact_request_without_a_token(monkeypatch):
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", "secret")
    draft = draft_of(TILED | {"note": 'it\'s $HOME; `rm`\n"quoted" \\ and ✓'})
    line = draft.to_curl("me/../you", "https://example.org/api/")
    assert "secret" not in line and '"Authorization: Bearer $CONSTELLATIONS_TOKEN"' in line
    words = shlex.split(line)
    assert words[0] == "curl" and "https://example.org/api/handle/me%2F..%2Fyou/image" in words
    assert json.loads(words[words.index("--data-raw") + 1]) == draft.submission().to_request()
    assert "https://example.org/handle/me/image" in draft.to_curl("@me", "https://example.org")
    with pytest.raises(DraftError):
        draft_of({}).to_curl("me", "https://example.org")


@pytest.mark.skipif(os.name == "nt", reason="a line for POSIX shells")
def test_the_line_publishes_when_a_shell_runs_it(tmp_path):
    import subprocess

    import constellations_widgets as cxw

    with cxw.Sandbox() as box:
        line = draft_of(TILED).to_curl(box.handle, box.api_url)
        ran = subprocess.run(
            ["sh", "-c", line],
            env=os.environ | {"CONSTELLATIONS_TOKEN": box.token()},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        assert [image.note for page in box.client().handle_images(box.handle) for image in page] == [TILED["note"]]


@given(
    st.dictionaries(
        st.sampled_from(sorted(fields())), st.one_of(st.text(), st.floats(), st.booleans(), st.integers()), max_size=6
    )
)
def test_the_python_makes_the_same_draft(values):
    draft = draft_of(TILED | values)
    code = draft.to_python().replace("cxw.ImageDraft()", "cxw.ImageDraft(autosave=False)")
    made: dict[str, Any] = {}
    exec(compile(code, "draft.py", "exec"), made)
    for path, value in draft.values.items():
        again = made["draft"].values[path]
        both_nan = isinstance(value, float) and math.isnan(value) and isinstance(again, float) and math.isnan(again)
        assert both_nan or again == value


def test_the_header_goes_into_a_fits_file(tmp_path: Path):
    header = draft_of(UNTILED).to_wcs_header((800, 600))
    fits.PrimaryHDU(header=header).writeto(tmp_path / "m51.wcs")
    again = fits.getheader(tmp_path / "m51.wcs")
    assert {name: again[name] for name in header} == pytest.approx(dict(header))
