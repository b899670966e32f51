"""Names of files that are none, given to every door that takes a file of this machine."""

from __future__ import annotations

import pytest
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.paths import file_path

DOORS = {
    "from_fits": lambda given, folder: cxw.ImageDraft.from_fits(given),
    "from_image": lambda given, folder: cxw.ImageDraft.from_image(given),
    "a sidecar": lambda given, folder: cxw.ImageDraft.from_image(_picture(folder), wcs=given),
    "tile": lambda given, folder: cxw.tile(given, folder / "tiles").result(60),
    "the folder of tiles": lambda given, folder: cxw.tile(_picture(folder), given),
}


def _picture(folder):
    Image.new("RGB", (60, 40)).save(folder / "m51.png")
    return folder / "m51.png"


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_a_web_address_is_no_file_and_is_not_shown(door, tmp_path):
    with pytest.raises(
        SourceError, match="The .* must be on this machine, not at a web address: download it first"
    ) as caught:
        door("https://user:secret@example.org/m51", tmp_path)
    assert "secret" not in str(caught.value)
    with pytest.raises(SourceError, match="not (by )?an object of type int"):
        door(5, tmp_path)
    with pytest.raises(
        SourceError, match="'m51\\\\x00' is not the name of a (file|picture|FITS image|image|folder|file with the WCS)"
    ):
        door("m51\0", tmp_path)


def test_the_home_folder_is_found_and_an_unknown_users_home_is_an_ordinary_name(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert file_path("~/m51.fits", "file") == tmp_path / "m51.fits"
    assert str(file_path("~nobody-of-this-name/m51.fits", "file")) == "~nobody-of-this-name/m51.fits"


def test_the_home_of_an_unknown_user_is_not_found_wherever_a_path_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draft, unknown = cxw.ImageDraft(autosave=False), "~nobody-of-this-name/m51.json"
    assert cxw.history(source=unknown) == []
    for use in (draft.save, draft.to_wtml, draft.restore, cxw.ImageDraft.load):
        with pytest.raises(SourceError, match="No such file or directory"):
            use(unknown)
        with pytest.raises(SourceError, match="is not the name of a file|null byte"):
            use("m51\0")
