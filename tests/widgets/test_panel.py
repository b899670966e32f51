"""publish(): the whole panel in one line, from whatever describes an image."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import astropy.io.fits
import astropy.wcs
import numpy as np
import PIL.Image
import pytest
from examples import TILED
from wwt_data_formats.imageset import ImageSet

import constellations_widgets as cxw
from constellations_widgets.sandbox import environment_of, running
from constellations_widgets.sources.reading import ParsedImage

WTML = """<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="4"
 BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>"""


def test_text_file_folder_draft_and_imageset_all_make_a_panel(tmp_path, box):
    (tmp_path / "index_rel.wtml").write_text(WTML)
    draft = cxw.ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)
    saved = draft.save(tmp_path / "draft.json")
    for source in (WTML, tmp_path / "index_rel.wtml", str(tmp_path), draft, saved, ImageSet()):
        panel = cxw.publish(source, box.client(), handle=box.handle)
        assert panel.preview.draft is panel.form.draft is panel.publisher.draft is panel.draft
        assert panel.receipt is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "nothing.wtml",
        "image.tiff",
        "table.csv",
        "x" * 5000,
        "~nobody-of-that-name/x.wtml",
        7,
        None,
        object(),
        "<not xml",
    ],
    ids=lambda source: repr(source)[:20],
)
def test_what_is_no_image_is_refused_in_words(source):
    with pytest.raises(cxw.SourceError, match=r"\w+ \w+"):
        cxw.publish(source)


def test_a_closed_panel_follows_its_draft_no_more(box):
    draft = cxw.ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)
    parts = cxw.publish(draft, box.client(), handle=box.handle)
    parts.close()
    state = parts.form.state
    draft.note = "another"
    assert parts.form.state is state
    assert parts.form.comm is parts.preview.comm is parts.publisher.comm is None


def test_where_there_are_no_widgets_a_notebook_shows_words(box):
    panel = cxw.publish(WTML, box.client(), handle=box.handle)
    shown = [repr(widget) for widget in (panel, panel.form)]
    assert shown == [
        "<PublishPanel of 'M 51': run the cell to see it>",
        "<ImageForm of 'M 51': run the cell to see it>",
    ]


def test_a_client_needs_a_handle(box):
    with pytest.raises(ValueError, match="handle"):
        cxw.publish(WTML, box.client())


def test_without_a_client_it_publishes_to_a_sandbox_and_says_so(monkeypatch):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    panel = cxw.publish(WTML)
    assert panel.publisher.status["sandbox"] is True
    assert panel.publisher.status["api_url"] == cxw.running_sandbox().api_url
    assert cxw.running_sandbox() is cxw.running_sandbox()


def test_the_sandbox_that_runs_in_this_kernel_is_used(monkeypatch):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    monkeypatch.setattr(running, "_own", None)
    with cxw.Sandbox(), cxw.Sandbox() as last:
        assert cxw.publish(WTML).publisher.status["api_url"] == last.api_url
        assert running._own is None  # no other one was started
        last.close()
        assert cxw.running_sandbox() is not last


def test_the_sandbox_of_this_process_starts_again_after_it_was_closed(monkeypatch):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    monkeypatch.setattr(running, "started", {})
    cxw.running_sandbox().close()
    box = cxw.running_sandbox()
    assert box.client().may_add_images(box.handle)


def test_a_sandbox_that_runs_already_serves_no_other_files(monkeypatch, tmp_path):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    monkeypatch.setattr(running, "_own", None)
    box = cxw.running_sandbox(files=tmp_path)
    try:
        assert cxw.running_sandbox(files=tmp_path) is box and cxw.running_sandbox() is box
        with pytest.raises(cxw.ConstellationsError, match="does not serve"):
            cxw.running_sandbox(files=tmp_path.parent)
    finally:
        box.close()


def test_the_sandbox_of_another_process_is_joined(monkeypatch, box):
    for name, value in environment_of(box).items():
        monkeypatch.setenv(name, value)
    joined = cxw.running_sandbox()
    assert (joined.api_url, joined.handle) == (box.api_url, box.handle)
    assert joined.client().may_add_images(box.handle)
    assert joined.token() not in repr(joined)


def test_a_sandbox_of_another_process_that_serves_other_files_is_refused(monkeypatch, tmp_path):
    with cxw.Sandbox(files=tmp_path) as other:
        for name, value in environment_of(other).items():
            monkeypatch.setenv(name, value)
        assert cxw.running_sandbox(files=tmp_path).files_url == other.files_url
        with pytest.raises(cxw.ConstellationsError, match="does not serve"):
            cxw.running_sandbox(files=tmp_path.parent)


def test_nonsense_in_the_environment_is_said(monkeypatch):
    for nonsense in ("x", "[]", json.dumps({"api_url": "http://127.0.0.1"})):
        monkeypatch.setenv(running.VARIABLE, nonsense)
        with pytest.raises(cxw.ConstellationsError, match=running.VARIABLE):
            cxw.running_sandbox()


@pytest.mark.parametrize("widget", [cxw.Preview, cxw.ImageForm, cxw.Publisher])
def test_a_widget_says_what_it_takes(widget, box):
    with pytest.raises(TypeError, match="ImageDraft, not a str: make one with"):
        widget("m51/index_rel.wtml")
    with pytest.raises(TypeError, match="client, not a str"):
        cxw.Publisher(cxw.ImageDraft(autosave=False), box.api_url, "me")


def test_an_image_without_a_placement_opens_with_the_position_step_asking_for_it(tmp_path, box):
    PIL.Image.new("RGB", (60, 40), "navy").save(tmp_path / "noavm.jpg")
    panel = cxw.publish(tmp_path / "noavm.jpg", box.client(), handle=box.handle)
    assert not panel.form.place["complete"] and panel.form.place["question"].startswith("Not placed: ")
    for name, value in (("ra", "10h00m12s +20d10m"), ("width", "10'")):
        panel.form._on_message(panel.form, {"kind": "place", "name": name, "value": value}, [])
    assert panel.form.place["complete"] and "10′ × 6.67′" in panel.form.place["summary"]
    panel.close()


def test_a_tiff_a_compressed_fits_file_and_a_web_address_are_sources(tmp_path, box, monkeypatch):
    PIL.Image.new("RGB", (60, 40), "navy").save(tmp_path / "a.tif")
    header = astropy.wcs.WCS(naxis=2)
    header.wcs.ctype, header.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-0.001, 0.001]
    hdu = astropy.io.fits.PrimaryHDU(np.ones((40, 60), "f4"), header.to_header())
    for name in ("a.fits.bz2", "a.fits.xz", "a.fits.gz", "a.fts", "a.new"):
        hdu.writeto(tmp_path / name)
    astropy.io.fits.HDUList([astropy.io.fits.PrimaryHDU(), astropy.io.fits.CompImageHDU(hdu.data, hdu.header)]).writeto(
        tmp_path / "a.fits.fz"
    )
    for path in sorted(tmp_path.glob("a.*")):
        panel = cxw.publish(path, box.client(), handle=box.handle)
        assert panel.draft.wwt.projection == "SkyImage", path
        panel.close()
    asked = []
    monkeypatch.setattr(
        cxw.ImageDraft, "from_wtml", lambda source: asked.append(source) or cxw.ImageDraft(autosave=False)
    )
    cxw.publish("https://example.org/m51.wtml", box.client(), handle=box.handle).close()
    assert asked == ["https://example.org/m51.wtml"]


def test_a_wrong_path_takes_one_line_with_the_folder_and_similar_names(tmp_path):
    (tmp_path / "m51_press.jpg").touch()
    with pytest.raises(cxw.SourceError) as caught:
        cxw.publish(tmp_path / "m51_pres.jpg")
    assert str(caught.value) == f"There is no file 'm51_pres.jpg' in {tmp_path}. Did you mean 'm51_press.jpg'?"
    assert caught.value._render_traceback_() == [f"SourceError: {caught.value}"]  # what a notebook shows
    with pytest.raises(cxw.SourceError, match=r"no index_rel.wtml in .* 1 image file found: cxw.publish\("):
        cxw.publish(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m51.xisf", "save it as FITS, or as JPEG or TIFF, in PixInsight"),
        ("m51.wcs", r"from_image\(picture, wcs='m51.wcs'\)"),
    ],
)
def test_a_file_of_another_program_is_told_what_reads_it(tmp_path, name, words):
    (tmp_path / name).write_text("x")
    with pytest.raises(cxw.SourceError, match=words):
        cxw.publish(tmp_path / name)


def test_a_client_without_credentials_signs_in_in_the_panel(box):
    client = cxw.Constellations(box.api_url)
    panel = cxw.publish(WTML, client, handle=box.handle)
    kinds = [type(part).__name__ for part in panel.children]
    assert kinds == ["SignIn", "Preview", "ImageForm", "Publisher"]
    wait_for(lambda: panel.publisher.status["account"]["blocks"])
    assert "Sign in to publish as @" in panel.publisher.status["account"]["message"]
    panel.children[0]._on_message(panel.children[0], {"kind": "token", "token": box.token()}, [])
    wait_for(lambda: len(panel.children) == 3 and panel.publisher.status["account"] == {"message": "", "blocks": False})
    panel.close()


def test_an_unknown_handle_is_reported_before_the_review(box):
    panel = cxw.publish(WTML, box.client(), handle="nobody-here")
    wait_for(lambda: panel.publisher.status["account"]["blocks"])
    assert "There is no handle @nobody-here" in panel.publisher.status["account"]["message"]
    panel.close()


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)
