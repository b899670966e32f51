"""A folder of pictures and a table: which rows, columns and cells go where, and what is named because it does not fit."""

from __future__ import annotations

import io

import pandas
import pytest
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets import ImageDraft, SourceError
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.batch.metadata import Metadata
from constellations_widgets.widgets.batch.table_file import read_table


def picture(kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("m51.jpg", "m101.jpg", "ngc 1300.png", "m2.jpg"):
        (pictures / name).write_bytes(picture("PNG" if name.endswith("png") else "JPEG"))
    return pictures


def table(folder, text: str, encoding: str = "utf-8", name: str = "metadata.csv"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


CSV = """File,Title,Credit line,Licence,Alt text,RA,Dec,Width [arcmin],PA,URL,Weather
m51.jpg,M 51,<b>Jane Doe</b>,cc-by-4.0,"Two
galaxies",13h29m52.7s,+47d11m43s,11,17,https://example.org/m51.jpg,good
M101.JPG,M 101,,CC BY NC,,210.8,+54.35,30',0,,bad
ngc 1300,NGC 1300,,,,not known,-19.4,6,,,
m33.jpg,M 33,,,,,,,,,
"""


def test_columns_and_rows_are_matched_and_what_does_not_fit_is_named(folder):
    drafts = cxw.drafts_from(folder, metadata=table(folder, CSV))
    assert [draft.name for draft in drafts] == ["m2", "m51", "m101", "ngc 1300"]  # as people sort them
    m51, m101, ngc1300 = drafts[1:]
    assert (m51.note, m51.permissions.license, m51.alt_text) == ("M 51", "CC-BY-4.0", "Two\ngalaxies")
    assert (
        m51.permissions.credits == "<b>Jane Doe</b>"
        and m51.storage.legacy_url_template == "https://example.org/m51.jpg"
    )
    assert m51.wwt.center_x == pytest.approx(202.4695833) and m51.wwt.center_y == pytest.approx(47.1952778)
    assert m51.wwt.base_degrees_per_tile * 64 == pytest.approx(11 / 60, rel=1e-6)
    assert m51.wwt.rotation == pytest.approx(17)
    assert m101.note == "M 101" and m101.wwt.base_degrees_per_tile * 64 == pytest.approx(0.5, rel=1e-4)
    assert not m101.permissions.license and ngc1300.wwt.center_y == -19.4  # a bad cell discards no other
    found = drafts.metadata
    assert {column.header: column.title for column in found.columns if column.target} == {
        "File": "File",
        "Title": "Title (public)",
        "Credit line": "Credit line",
        "Licence": "License",
        "Alt text": "Alt text",
        "RA": "Center RA",
        "Dec": "Center Dec",
        "Width [arcmin]": "Width (arcminutes)",
        "PA": "Position angle",
        "URL": "Image address",
    }
    assert [(bad.row, bad.column) for bad in found.bad_cells] == [(3, "Licence"), (4, "RA")]
    assert "which version" in found.bad_cells[0].reason and "not a right ascension" in found.bad_cells[1].reason
    assert found.unmatched_rows == [(5, "there is no file 'm33.jpg'")] and found.unmatched_files == ["m2.jpg"]
    text = str(drafts)
    for part in ("Licence → License", "“Weather” is not used", "Row 5 is not used", "m2.jpg has no row", "Row 4, RA: "):
        assert part in text
    assert "Licence" in drafts._repr_html_()


@pytest.mark.parametrize(
    ("encoding", "delimiter", "start", "end"),
    [
        ("utf-8-sig", ";", "", "\r\n"),
        ("cp1252", ";", "", "\r\n"),
        ("utf-16", "\t", "", "\n"),
        ("utf-8", ";", "sep=;\r\n", "\r\n"),
        ("utf-16", "\t", "sep=\t\r\n", "\r\n"),
        ("utf-8", ",", "", "\r"),
    ],
)
def test_csv_is_read_as_spreadsheets_write_it(folder, encoding, delimiter, start, end):
    rows = [
        ["file", "title", "alt text", "ra", "dec", "width [°]"],
        ["m51.jpg", "Café “M 51”", '"One;\ntwo, three\t""four"""', '"202,4696"', '"47,1952"', '"0,2"'],
        ["", "", "", "", "", ""],
        ["m101.jpg", "Ünï", "", '"210,8"', "54", '"0,5"'],
    ]
    text = start + end.join(delimiter.join(row) for row in rows) + end
    first, second = (cxw.drafts_from(folder, table(folder, text, encoding))[at] for at in (1, 2))
    assert (first.note, second.note) == ("Café “M 51”", "Ünï")
    assert first.alt_text == 'One;\ntwo, three\t"four"'
    assert first.wwt.center_x == pytest.approx(202.4696) and second.wwt.center_x == pytest.approx(210.8)
    assert second.wwt.base_degrees_per_tile * 64 == pytest.approx(0.5, rel=1e-4)
    row = 5 if start else 4
    assert read_table(folder / "metadata.csv").rows[1][0] == row  # as the spreadsheet counts, with its empty row


def test_data_frames_tables_and_lists_are_taken(folder):
    import numpy as np
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import MaskedColumn, QTable, Table

    rows = [{"file": "m51.jpg", "ra": 202.47, "dec": 47.2, "title": "M 51"}, {"file": "m2.jpg", "width [arcsec]": 60.0}]
    drafts = cxw.drafts_from(folder, rows)
    assert drafts[1].wwt.center_x == 202.47 and drafts[0].wwt.base_degrees_per_tile * 64 == pytest.approx(
        1 / 60, rel=1e-6
    )

    of_astropy = QTable(
        {
            "file": ["m51.jpg", "m2.jpg"],
            "coords": SkyCoord([202.47, 10.0] * u.deg, [47.2, -3.0] * u.deg),
            "width": [12.0, 30.0] * u.arcmin,
            "mirrored": [True, False],
        }
    )
    drafts = cxw.drafts_from(folder, of_astropy)
    assert drafts[1].wwt.bottoms_up is True and drafts[0].wwt.center_y == pytest.approx(-3.0)
    assert drafts[1].wwt.base_degrees_per_tile * 64 == pytest.approx(0.2, rel=1e-5)
    masked = Table({"file": ["m51.jpg"], "alt text": MaskedColumn(["hidden"], mask=[True]), "title": np.array(["T"])})
    draft = cxw.drafts_from(folder, masked)[1]
    assert draft.note == "T" and not draft.alt_text
    with pytest.raises(SourceError, match="metadata is a int: give a CSV file"):
        cxw.drafts_from(folder, 3)


def test_a_real_data_frame_is_taken(folder):
    columns = {
        "title": ["M 51", None],
        "ra": [202.5, float("nan")],
        "wwt.rotation": [12.5, None],
        "mirrored": [True, False],
    }
    drafts = cxw.drafts_from(folder, pandas.DataFrame({"file": ["m51.jpg", "m2.jpg"], **columns}))
    m2, m51 = drafts[:2]
    assert (m51.note, m2.note, m51.wwt.center_x, m51.wwt.bottoms_up) == ("M 51", "m2", 202.5, True)


def test_the_files_and_folders_that_make_no_draft_are_named(folder):
    (folder / "notes.docx").write_bytes(b"x")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    (folder / "more").mkdir()
    (folder / ".hidden").write_bytes(b"")
    drafts = cxw.drafts_from(folder)
    assert len(drafts) == 4 and drafts.metadata is None
    skipped = {each.name: each.reason for each in drafts.skipped}
    assert skipped.keys() == {"notes.docx", "broken.jpg", "more/"}
    assert "not searched" in skipped["more/"] and "broken.jpg was skipped: " in str(drafts)
    with pytest.raises(SourceError, match="No drafts can be made of the files"):
        cxw.drafts_from(folder / "more")


def test_files_drafts_and_wtml_are_taken_too(folder, tmp_path):
    wtml = tmp_path / "one.wtml"
    wtml.write_text('<Folder><ImageSet Name="One" Url="one.png" Projection="SkyImage" FileType=".png"/></Folder>')
    draft = ImageDraft(ParsedImage({"note": "x"}, "mine"), autosave=False)
    drafts = cxw.drafts_from(
        [folder / "m51.jpg", str(wtml), draft], [{"file": "one.png", "alt": "A"}, {"file": "mine", "alt": "B"}]
    )
    assert [it.name for it in drafts] == ["m51", "One", "mine"]
    assert [it.alt_text for it in drafts[1:]] == ["A", "B"] and drafts.metadata.unmatched_files == ["m51.jpg"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has no columns"),
        ("title,license\nM 51,CC0-1.0\n", "No column of metadata.csv names the files"),
        ("file,weather\nm51.jpg,good\n", "No column of metadata.csv belongs to a field"),
    ],
)
def test_a_table_that_can_not_be_used_is_refused(folder, text, fault):
    with pytest.raises(SourceError, match=fault):
        cxw.drafts_from(folder, table(folder, text))


def test_a_column_that_holds_file_names_is_recognized_and_units_are_demanded(folder):
    text = "Image name,width,pixel scale [parsec],title,name\nm51.jpg,12,1,A,B\nm51,30',1,C,D\nm2.jpg,30',1,C,D\n"
    found = cxw.drafts_from(folder, table(folder, text)).metadata
    assert [(column.header, column.target) for column in found.columns[:4]] == [
        ("Image name", "file"),
        ("width", "width"),
        ("pixel scale [parsec]", ""),
        ("title", "note"),
    ]
    assert "not a unit" in found.columns[2].reason
    assert "has no unit" in found.bad_cells[0].reason and found.bad_cells[0].row == 2
    assert found.unmatched_rows == [(3, "'m51' is described by row 2 already")]


def test_ten_thousand_rows_are_matched_once_each():
    drafts = [ImageDraft(ParsedImage({}, f"image{number}"), autosave=False) for number in range(10_000)]
    rows = [
        {"file": f"image{number}.jpg" if number % 2 else f"image{number}", "title": f"T {number}"}
        for number in range(10_000)
    ]
    found = Metadata.of(drafts, [{**row, "file": row["file"].removesuffix(".jpg")} for row in rows])
    assert len(found.changes) == 10_000 and found.lines() == []
    found.apply(drafts)
    assert drafts[9_999].note == "T 9999"


def test_a_row_finds_the_file_whose_name_it_gives_without_the_extension():
    drafts = [
        ImageDraft(ParsedImage({}, name, origin=f"/data/{file}"), autosave=False)
        for name, file in (("M 51", "m51.v2.fits.gz"), ("M 101", "m101.fit"))
    ]
    table = [{"File": "m51.v2", "Title": "one"}, {"File": "M101", "Title": "other"}]
    cxw.drafts_from(drafts, metadata=table)
    assert [draft.note for draft in drafts] == ["one", "other"]
