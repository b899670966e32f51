"""WWT's layer files: image layers become drafts, and nothing in them is believed."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from wwt_data_formats.filecabinet import FileCabinetWriter

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources import wwtl
from constellations_widgets.sources.wtml import read_wtml

IMAGESET = '<ImageSet Name="M 51" Url="" Projection="SkyImage" CenterX="202.47" CenterY="47.2" BaseDegreesPerTile="0.001" FileType=".tif"/>'


def layers(*extensions: str, imageset: str = IMAGESET) -> bytes:
    inner = "".join(
        f'<Layer Id="layer{number}" Type="TerraViewer.ImageSetLayer" Name="M 51" Extension="{extension}">{imageset}</Layer>'
        for number, extension in enumerate(extensions)
    )
    return f'<?xml version="1.0"?><LayerContainer ID="box"><Layers>{inner}</Layers></LayerContainer>'.encode(
        "utf-8-sig"
    )


def picture(kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(stream, kind)
    return stream.getvalue()


def cabinet(path: Path, files: dict[str, bytes]) -> Path:
    writer = FileCabinetWriter()
    for name, content in files.items():
        writer.add_file_with_data(name, content)
    with path.open("wb") as file:
        writer.emit(file)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read_wtml(path)
    assert len(str(caught.value)) < 600
    return str(caught.value)


def test_every_image_layer_becomes_a_draft_with_its_picture(tmp_path):
    files = {
        "box.wwtxml": layers(".png", ".tif", ".txt"),
        "box\\layer0.png": picture(),
        "layer1.tif": picture("TIFF"),
        "box\\layer2.txt": b"no picture",
    }
    path = cabinet(tmp_path / "m51.wwtl", files)
    first, second, third = ImageDraft.all_from_wtml(path, autosave=False)
    assert first.name == "M 51" and first.wwt.center_x == 202.47
    assert first.local.read(first.local.template) == picture() and first.wwt.file_type == ".png"
    with Image.open(second.local.where(second.local.template)) as image:
        assert (image.format, image.size, second.wwt.file_type) == ("PNG", (60, 40), ".png")
    assert third.local is None and any("holds no picture of this layer" in p.message for p in third.problems)
    assert ImageDraft.from_wtml(path, index=1, autosave=False).origin == f"{path}#1"


@pytest.mark.parametrize("name", ["..\\..\\a.png", "../a.png", "/etc/passwd", "C:\\a.png", "\\a.png", "a/../../b.png"])
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    path = cabinet(tmp_path / "m51.wwtl", {"box.wwtxml": layers(".png"), name: picture()})
    assert "leads out of the archive: refused" in refusal(path)


def test_a_layers_own_extension_leads_nowhere_else(tmp_path, state):
    path = cabinet(tmp_path / "m51.wwtl", {"box.wwtxml": layers("/../../../x.png"), "a.png": picture()})
    [reading] = read_wtml(path)
    assert reading.local is None
    assert not state.exists() or not any(found.is_file() for found in state.rglob("*"))


def test_a_file_that_claims_more_than_there_is_is_refused(tmp_path):
    path = cabinet(tmp_path / "m51.wwtl", {"box.wwtxml": layers(".png"), "box\\layer0.png": picture()})
    content = path.read_bytes()
    size = str(len(picture())).encode()
    path.write_bytes(content.replace(b'Size="' + size + b'"', b'Size="' + b"9" * len(size) + b'"'))
    assert "beyond the end of the archive" in refusal(path)
    path.write_bytes(content[:-10])
    assert "beyond the end of the archive" in refusal(path)
    path.write_bytes(re.sub(b'HeaderSize="0x........"', b'HeaderSize="0x7fffffff"', content))
    assert "declares a table of files that it can't hold" in refusal(path)


def test_a_state_directory_that_cannot_be_written_is_not_blamed_on_the_archive(tmp_path, monkeypatch):
    path = cabinet(tmp_path / "m51.wwtl", {"box.wwtxml": layers(".png"), "box\\layer0.png": picture()})
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "file"))
    assert f"The picture of m51.wwtl can't be written (File exists): make {tmp_path / 'file'} writable" in refusal(path)


def test_what_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wwtl, "_PICTURE_LIMIT", 100)
    path = cabinet(tmp_path / "m51.wwtl", {"box.wwtxml": layers(".png"), "box\\layer0.png": picture()})
    assert "where at most 0 MB make sense: refused" in refusal(path)
    monkeypatch.setattr(wwtl, "_FILES_LIMIT", 1)
    assert "more than 1 files" in refusal(path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.png": b"x"}, "has no .wwtxml"),
        ({"box.wwtxml": b"<LayerContainer/>"}, "holds no image layer"),
        ({"box.wwtxml": b"no XML"}, "is not XML"),
        ({"box.wwtxml": b'<!DOCTYPE x [<!ENTITY a "b">]><LayerContainer ID="&a;"/>'}, "declares XML entities"),
        ({"box.wwtxml": layers(".tif"), "layer0.tif": b"no TIFF"}, "can't be read"),
    ],
)
def test_an_archive_without_images_is_refused_in_words(tmp_path, files, message):
    assert message in refusal(cabinet(tmp_path / "m51.wwtl", files))


@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6), st.floats(0.3, 1))
def test_a_damaged_archive_is_read_or_refused(tmp_path_factory, damage, part):
    path = tmp_path_factory.getbasetemp() / "damaged.wwtl"
    content = bytearray(cabinet(path, {"box.wwtxml": layers(".png"), "box\\layer0.png": picture()}).read_bytes())
    for place, byte in damage:
        content[int(place * len(content))] = byte
    path.write_bytes(content[: int(len(content) * part)])
    try:
        assert read_wtml(path)
    except SourceError as error:
        assert str(error)
