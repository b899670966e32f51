"""WTML: each imageset becomes a draft, and whatever is wrong with a file is said in words."""

from __future__ import annotations

import math
import os
import re
import tracemalloc
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toasty.builder import Builder
from toasty.pyramid import PyramidIO
from wwt_data_formats.folder import Folder
from wwt_data_formats.imageset import ImageSet
from wwt_data_formats.place import Place

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.schema.credits import clean_credits
from constellations_widgets.sources import wtml, wtml_stream
from constellations_widgets.sources.imagesets import based_at
from constellations_widgets.sources.wtml import read_imageset, read_one, read_wtml
from constellations_widgets.wtml import credits_of

ATTRIBUTES = {
    "Name": "M 51",
    "Url": "https://example.org/m51/{1}/{3}/{3}_{2}.png",
    "BandPass": "Visible",
    "DataSetType": "Sky",
    "BaseTileLevel": "0",
    "BaseDegreesPerTile": "0.5",
    "BottomsUp": "False",
    "CenterX": "202.47",
    "CenterY": "47.2",
    "FileType": ".png",
    "OffsetX": "0.01",
    "OffsetY": "-0.02",
    "Projection": "Tan",
    "QuadTreeMap": "",
    "Rotation": "12.5",
    "TileLevels": "4",
    "WidthFactor": "2",
}


def imageset(children: str = "", **attributes: str | None) -> str:
    written = {name: value for name, value in (ATTRIBUTES | attributes).items() if value is not None}
    return (
        f"<ImageSet {' '.join(f'{name}={quoteattr(value)}' for name, value in written.items())}>{children}</ImageSet>"
    )


def folder(*imagesets: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Folder Name="Test" Group="Explorer">{"".join(imagesets)}</Folder>'


def draft_of(text: str, **options: Any) -> ImageDraft:
    return ImageDraft.from_wtml(text, autosave=False, **options)


def refusal(source: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read_wtml(source)
    assert len(str(caught.value)) < 500
    return str(caught.value)


# -- what is read


def test_an_imageset_becomes_the_values_of_a_draft():
    children = "<ThumbnailUrl>https://example.org/t.jpg</ThumbnailUrl><Credits>NASA &amp; ESA</Credits><Description>In red light</Description>"
    [reading] = read_wtml(folder(imageset(children)))
    assert reading.name == "M 51" and reading.remarks == () and reading.local is None
    assert reading.values == {
        "wwt.center_x": 202.47,
        "wwt.center_y": 47.2,
        "wwt.rotation": 12.5,
        "wwt.base_degrees_per_tile": 0.5,
        "wwt.offset_x": 0.01,
        "wwt.offset_y": -0.02,
        "wwt.bottoms_up": False,
        "wwt.projection": "Tan",
        "wwt.tile_levels": 4,
        "wwt.width_factor": 2,
        "wwt.file_type": ".png",
        "wwt.quad_tree_map": "",
        "wwt.thumbnail_url": "https://example.org/t.jpg",
        "storage.legacy_url_template": "https://example.org/m51/{1}/{3}/{3}_{2}.png",
        "note": "M 51: In red light",
        "permissions.credits": "NASA & ESA",
    }


FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
).map(str.strip)


@given(
    numbers=st.fixed_dictionaries(
        {
            name: FINITE
            for name in ("center_x", "center_y", "rotation_deg", "base_degrees_per_tile", "offset_x", "offset_y")
        }
    ),
    levels=st.integers(0, 12),
    up=st.booleans(),
    texts=st.fixed_dictionaries({name: WORDS for name in ("name", "thumbnail_url", "url", "credits", "file_type")}),
    projection=st.sampled_from(["Tan", "SkyImage", "Toast"]),
)
def test_agrees_with_wwt_data_formats_on_what_it_writes(numbers, levels, up, texts, projection):
    peer = ImageSet()
    for name, value in {**numbers, **texts}.items():
        setattr(peer, name, value)
    peer.tile_levels, peer.bottoms_up, peer.projection = levels, up, type(peer.projection)(projection)
    [reading] = read_wtml(peer.to_xml_string())
    assert reading.values == read_imageset(peer).values
    ours = {path.rpartition(".")[2]: value for path, value in reading.values.items()}
    assert {name: ours[name.removesuffix("_deg")] for name in numbers} == numbers
    assert (ours["tile_levels"], ours["bottoms_up"], ours["projection"]) == (levels, up, projection)
    assert (ours["thumbnail_url"], ours["legacy_url_template"], ours["note"]) == (
        texts["thumbnail_url"],
        texts["url"],
        texts["name"],
    )
    assert ours["credits"] == credits_of(texts["credits"])


def test_what_an_imageset_leaves_out_has_wwts_own_defaults():
    [reading] = read_wtml('<ImageSet Name="M 51" Url="https://example.org/m51.png" BaseDegreesPerTile="0.001"/>')
    values = reading.values
    assert (values["wwt.projection"], values["wwt.tile_levels"], values["wwt.width_factor"]) == ("SkyImage", 0, 2)
    assert (values["wwt.rotation"], values["wwt.bottoms_up"], values["wwt.file_type"]) == (0, False, ".png")


@pytest.mark.parametrize(
    ("missing", "others", "words"),
    [
        (("CenterY",), {}, "no CenterY, which WWT takes for 0"),
        (
            ("CenterX", "CenterY", "OffsetX"),
            {},
            "no CenterX and no CenterY, which",
        ),  # offsets of tiles are 0 in the middle
        (("OffsetX", "Rotation"), {"Projection": "SkyImage"}, "no Rotation and no OffsetX, which"),
        (("Projection",), {}, "no Projection, without which WWT draws nothing: taken as SkyImage"),
        (("CenterX", "CenterY", "Rotation"), {"Projection": "Toast"}, ""),
    ],
)
def test_a_placement_that_is_left_out_is_said(missing, others, words):
    [reading] = read_wtml(imageset(**dict.fromkeys(missing), **others))
    assert [words in remark for remark in reading.remarks] == [True] if words else reading.remarks == ()


@pytest.mark.parametrize(
    ("attribute", "written", "value", "path"),
    [
        ("Rotation", "nan", "nan", "wwt.rotation"),
        ("CenterX", "Infinity", "inf", "wwt.center_x"),
        ("CenterY", "-1e999", "-inf", "wwt.center_y"),
        ("Rotation", "north up", "'north up'", "wwt.rotation"),
        ("Rotation", "", "''", "wwt.rotation"),
        ("BottomsUp", "perhaps", "'perhaps'", "wwt.bottoms_up"),
        ("TileLevels", "4.5", "'4.5'", "wwt.tile_levels"),
        ("TileLevels", "9" * 5000, repr("9" * 5000), "wwt.tile_levels"),
    ],
)
def test_a_value_that_cannot_be_right_is_kept_as_it_stands_and_the_checks_name_it(attribute, written, value, path):
    draft = draft_of(imageset(**{attribute: written}))
    assert repr(draft[path]) == value
    assert path in {problem.field for problem in draft.problems if problem.severity == "error"}


def test_the_sky_is_the_sky_in_any_spelling():
    assert not [problem for problem in draft_of(imageset(DataSetType="sky")).problems if problem.code == "CXW907"]


@pytest.mark.parametrize(
    ("written", "value"),
    [("True", True), ("true", True), ("1", True), ("False", False), (" false ", False), ("0", False)],
)
def test_true_and_false_are_read_in_every_spelling(written, value):
    assert draft_of(imageset(BottomsUp=written)).wwt.bottoms_up is value


def test_what_constellations_has_no_field_for_is_said():
    [reading] = read_wtml(
        imageset(BandPass="HydrogenAlpha", PixelCutLow="12.5", BaseTileLevel="0", DataSetType="Panorama")
    )
    assert [remark.split(" ")[0] for remark in reading.remarks] == ["BandPass='HydrogenAlpha'", "PixelCutLow='12.5'"]
    remarks = [p.message for p in draft_of(imageset(BandPass="Infrared")).problems if p.code == "CXW901"]
    assert remarks == ["BandPass='Infrared' of the WTML is not kept: Constellations has no place for it"]


@pytest.mark.parametrize(
    ("text", "link", "credits"),
    [
        ("NASA & ESA", "", "NASA & ESA"),
        ("signal < noise", "", "signal &lt; noise"),
        ("<b>NASA</b> & ESA", "", "<b>NASA</b> & ESA"),
        ("NASA & ESA", "https://example.org/?a=1&b=2", '<a href="https://example.org/?a=1&amp;b=2">NASA &amp; ESA</a>'),
        ("NASA &amp; ESA", "https://example.org", '<a href="https://example.org">NASA &amp; ESA</a>'),
        ("signal < noise", "https://example.org", '<a href="https://example.org">signal &lt; noise</a>'),
        ("<i>NASA</i>", "https://example.org", '<a href="https://example.org"><i>NASA</i></a>'),
        ('<a href="https://nasa.gov">NASA</a>', "https://example.org", '<a href="https://nasa.gov">NASA</a>'),
        ("", "https://example.org", '<a href="https://example.org">https://example.org</a>'),
        ("NASA", "javascript:alert(1)", "NASA"),
        ("", "", ""),
    ],
)
def test_credits_and_their_link_become_html_that_the_server_keeps(text, link, credits):
    assert credits_of(text, link) == credits
    [reading] = read_wtml(imageset(f"<Credits>{escape(text)}</Credits><CreditsUrl>{escape(link)}</CreditsUrl>"))
    assert reading.values["permissions.credits"] == credits
    if link:
        assert clean_credits(credits) == credits


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: inner,
        lambda inner: folder(inner),
        lambda inner: folder(f"<Place Name='M 51'><ForegroundImageSet>{inner}</ForegroundImageSet></Place>"),
    ],
    ids=["bare", "folder", "place"],
)
def test_an_imageset_is_found_wherever_it_stands(wrap):
    assert draft_of(wrap(imageset())).name == "M 51"


def test_of_several_imagesets_one_must_be_chosen():
    text = folder(*(imageset(Name=f"Image {number}") for number in range(100)))
    with pytest.raises(SourceError, match=r"holds 100 imagesets \(0: Image 0, 1: Image 1.*choose one with index="):
        draft_of(text)
    assert draft_of(text, index=0).name == "Image 0" and draft_of(text, index=99).name == "Image 99"
    assert [draft.name for draft in ImageDraft.all_from_wtml(text, autosave=False)] == [
        f"Image {number}" for number in range(100)
    ]
    for index in (100, -1):
        with pytest.raises(SourceError, match=f"no imageset {index}: the WTML holds 100"):
            draft_of(text, index=index)
    for index in ("Image 1", 1.0, True):
        with pytest.raises(SourceError, match="index= is a whole number"):
            draft_of(text, index=index)


def test_imagesets_places_and_folders_of_wwt_data_formats_are_read_too(tmp_path):
    peer = ImageSet()
    peer.name, peer.url, peer.rotation_deg = "M 51", "https://example.org/m51.png", 12.5
    place = Place()
    place.foreground_image_set = peer
    for given_object in (peer, place, Folder(children=[place])):
        assert ImageDraft.from_imageset(given_object, autosave=False).wwt.rotation == 12.5
    two = Folder(children=[peer, peer])
    with pytest.raises(SourceError, match="holds 2 imagesets"):
        ImageDraft.from_imageset(two)
    assert ImageDraft.from_imageset(two, index=1, autosave=False).name == "M 51"
    assert len(ImageDraft.all_from_wtml(two, autosave=False)) == 2
    with pytest.raises(SourceError, match="holds no imageset"):
        ImageDraft.from_imageset(Folder())
    builder = Builder(PyramidIO(str(tmp_path)))
    with pytest.raises(SourceError, match="Give the folder that toasty wrote to"):
        ImageDraft.from_wtml(builder)
    with pytest.raises(SourceError, match="not an object of type str"):
        ImageDraft.from_imageset("m51.wtml")


# -- files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What toasty writes: tiles, and a WTML with relative addresses."""
    root = tmp_path / "m51"
    tile = root / "0/0/0_0.png"
    tile.parent.mkdir(parents=True)
    tile.write_bytes(b"tile")
    (root / "thumb.jpg").write_bytes(b"thumb")
    children = "<ThumbnailUrl>thumb.jpg</ThumbnailUrl>"
    (root / "index_rel.wtml").write_text(folder(imageset(children, Url="{1}/{3}/{3}_{2}.png")))
    return root


def test_the_folder_that_toasty_wrote_is_shown_from_disk(tree):
    for source in (tree, str(tree), tree / "index_rel.wtml"):
        draft = ImageDraft.from_wtml(source, autosave=False)
        assert draft.local.read("0/0/0_0.png") == b"tile"
        assert draft.origin == str(tree.resolve() / "index_rel.wtml")
        assert [p for p in draft.problems if p.code == "CXW901"] == []
    with pytest.raises(PermissionError):
        draft.local.read("thumb.jpg")
    draft.host_at("https://example.org/m51/")
    assert draft.storage.legacy_url_template == "https://example.org/m51/{1}/{3}/{3}_{2}.png"
    assert draft.wwt.thumbnail_url == "https://example.org/m51/thumb.jpg"


def test_the_same_file_is_the_same_image_however_it_is_named(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    assert ImageDraft.from_wtml("m51", autosave=False).origin == ImageDraft.from_wtml(tree, autosave=False).origin


def test_a_backslash_in_a_relative_address_is_a_slash(tree):
    (tree / "index_rel.wtml").write_text(folder(imageset(Url=r"{1}\{3}\{3}_{2}.png")))
    assert ImageDraft.from_wtml(tree, autosave=False).local.read("0/0/0_0.png") == b"tile"


@pytest.mark.parametrize(
    "url",
    [
        "../secret/{1}/{3}/{3}_{2}.png",
        "a/../../secret.png",
        "%2e%2e/secret.png",
        "{9}/a.png",
        "a%00b.png",
        "x" * 5000 + ".png",
    ],
)
def test_a_relative_address_that_leads_elsewhere_is_not_shown_and_that_is_said(tree, url):
    (tree / "index_rel.wtml").write_text(folder(imageset(Url=url)))
    draft = ImageDraft.from_wtml(tree, autosave=False)
    assert draft.storage.legacy_url_template == url
    if draft.local:  # a name that no file system takes
        with pytest.raises(OSError):
            draft.local.read(url)
    assert any("the preview can't show" in p.message for p in draft.problems if p.code == "CXW901")


@pytest.mark.parametrize(
    "url", ["/etc/passwd", "//example.org/a.png", "file:///etc/passwd", r"\\server\a.png", "C:/a.png"]
)
def test_an_absolute_address_is_never_a_file_of_this_machine(tree, url):
    (tree / "index_rel.wtml").write_text(folder(imageset(Url=url)))
    assert ImageDraft.from_wtml(tree, autosave=False).local is None


def test_tiles_that_are_not_there_are_said(tree):
    (tree / "0/0/0_0.png").unlink()
    assert any("no file of the image lies at" in p.message for p in ImageDraft.from_wtml(tree, autosave=False).problems)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_in_the_encoding_that_they_declare(tmp_path, encoding):
    path = tmp_path / "m51.wtml"
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    path.write_bytes(f'<?xml version="1.0" encoding="{declared}"?>{imageset(Name="Strudel – 渦")}'.encode(encoding))
    assert read_wtml(path)[0].name == "Strudel – 渦"


@pytest.mark.parametrize("declared", ["utf-16", "latin-1", "utf-8"])
def test_text_is_text_whatever_encoding_it_declares(declared):
    assert (
        read_wtml(f'\ufeff<?xml version="1.0" encoding="{declared}"?>{imageset(Name="Strudel – 渦")}')[0].name
        == "Strudel – 渦"
    )


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\t ", "is empty"),
    "not XML": (b"M 51 is a galaxy", "is not XML"),
    "cut off": (folder(imageset())[:-20].encode(), "is not XML"),
    "HTML": (b"<!DOCTYPE html><html><body><p>Not found<br></body></html>", "is a web page, not WTML"),
    "no imageset": (folder().encode(), "holds no imageset"),
    "an entity bomb": (f"{BOMB}<Folder>&j;</Folder>".encode(), "declares XML entities or a document type"),
    "an entity of a file": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Folder Name="&a;"/>', "declares XML entities"),
    "a document type": (b'<!DOCTYPE x SYSTEM "https://example.org/x.dtd"><Folder/>', "a document type"),
    "an unknown entity": (b"<Folder>&nbsp;</Folder>", "is not XML"),
    "binary": (bytes(range(256)) * 20, "is not XML"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "is not XML"),
    "UTF-16 by halves": ("<Folder/>".encode("utf-16")[:-1], "is not XML"),
    "unknown encoding": (b'<?xml version="1.0" encoding="ebcdic-x"?><Folder/>', "is not XML"),
    "deep": (b"<a>" * 50_000 + b"</a>" * 50_000, "holds no imageset"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_is_no_wtml_is_refused_in_words(tmp_path, content, message):
    path = tmp_path / "m51.wtml"
    path.write_bytes(content)
    said = refusal(path)
    assert message in said and str(path) in said


@pytest.mark.parametrize("name", ["an entity bomb", "a document type", "no imageset", "cut off"])
def test_text_that_is_no_wtml_is_refused_in_words_too(name):
    content, message = REFUSED[name]
    assert message in refusal(content.decode()) and "The WTML text" in refusal(content.decode())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no/such/file.wtml", "There is no file no/such/file.wtml"),
        ("", "neither WTML nor the name of a file"),
        ("M 51\nis a galaxy", "neither WTML nor the name of a file"),
        ("https://user:secret@example.org/m51.wtml", "contains a user name or password"),
        ("https:///m51.wtml", "no host name"),
        ("ftp://example.org/m51.wtml", "begins with https://"),
        (7, "not an object of type int"),
        ("a\0b.wtml", "can't be read"),
        ("x" * 5000, "can't be read"),
        ("~nobody-of-this-name/m51.wtml", "can't be read"),
        ("/dev/zero", "is not a file"),
    ],
)
def test_what_names_no_file_is_refused_in_words(source, message):
    assert message in refusal(source)


def linked(*links: str) -> str:
    return f'<Folder Name="all">{"".join(f"<Folder Name={quoteattr(link)} Url={quoteattr(link)}/>" for link in links)}</Folder>'


def test_a_wtml_that_only_links_to_others_names_them_and_the_advice_works(tmp_path):
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "m51.wtml").write_text(folder(imageset()))
    (tmp_path / "all.wtml").write_text(linked("sub%20dir/m51.wtml", "https://example.org/b.wtml"))
    for read in (read_wtml, read_one, lambda source: read_one(source, 0)):
        with pytest.raises(SourceError, match="holds no imageset, but a link") as caught:
            read(tmp_path / "all.wtml")
        call, others = re.search(r"with (ImageDraft.*); it links to (.*), too$", str(caught.value)).groups()
        assert eval(call).name and others == "'https://example.org/b.wtml'"
    many = refusal(linked(*(f"{number}.wtml" for number in range(20))))
    assert "from_wtml('0.wtml')" in many and "'7.wtml', …, too" in many and "8.wtml" not in many
    assert "from_wtml('a.wtml')" in refusal(Folder(children=[Folder(url="a.wtml")]))
    assert "from_wtml('http://[a')" in refusal(linked("http://[a"))
    assert len(read_wtml(folder(imageset(), linked("a.wtml")))) == 1


def test_a_folder_without_wtml_is_refused_in_words(tmp_path):
    assert f"There is no file {tmp_path / 'index_rel.wtml'}" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m51.wtml")
    assert "is not a file" in refusal(tmp_path / "m51.wtml")


def test_a_file_that_is_something_else_is_read_no_farther_than_makes_sense(tmp_path):
    path = tmp_path / "m51.wtml"
    with path.open("wb") as file:
        file.write(b"<Folder>")
        file.seek(1 << 30)
        file.write(b"</Folder>")
    assert "is not XML" in refusal(path)  # zeros, none of which is read after the first
    with path.open("wb") as file:
        file.write(b"<Folder Name='" + b" " * (wtml_stream.ELEMENT_LIMIT + 1))
    assert "has an element of more than 1 MB: this is not WTML" in refusal(path)
    with path.open("wb") as file:
        file.write(b"<Folder><ImageSet>" + b"<a/>" * (wtml_stream.ELEMENT_LIMIT // 4))
    assert "has an element of more than 1 MB: this is not WTML" in refusal(path)


PIECES = [
    "<",
    ">",
    "&",
    "&amp;",
    "<ImageSet",
    "</ImageSet>",
    "<Folder>",
    "</Folder>",
    " Url='",
    "'",
    " Rotation='nan'",
    "<!DOCTYPE",
    "]]>",
    "\0",
    "\ud800",
    "é",
]


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join),
    st.sampled_from(["<", "<Folder>", "<ImageSet "]),
)
def test_whatever_the_text_it_is_read_or_refused(text, start):
    try:
        found = read_wtml(start + text)
    except SourceError as error:
        assert len(str(error)) < 500
    else:
        assert found


@given(st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), WORDS | st.floats().map(repr) | st.integers().map(str)))
def test_whatever_stands_in_the_attributes_the_draft_shows_it_with_its_problems(attributes):
    draft = draft_of(imageset(**attributes))
    assert isinstance(draft.problems, list) and draft.wwt.center_x is not None
    if not math.isfinite(draft.wwt.rotation if isinstance(draft.wwt.rotation, float) else 0):
        assert "wwt.rotation" in {p.field for p in draft.problems}


@pytest.mark.parametrize(
    ("base", "url", "address"),
    [
        ("https://example.org/m51", "{1}/{3}/{3}_{2}.png", "https://example.org/m51/{1}/{3}/{3}_{2}.png"),
        ("https://example.org/m51/", "thumb.jpg", "https://example.org/m51/thumb.jpg"),
        ("https://example.org/m51/", "https://other.org/a.png", "https://other.org/a.png"),
    ],
)
def test_relative_addresses_are_completed_and_whole_ones_stay(base, url, address):
    assert based_at(base, url) == address


# -- what is most likely wrong


@pytest.mark.parametrize("kind", ["Planet", "Earth", "Panorama", "SolarSystem"])
def test_an_image_of_no_sky_is_more_than_an_info(kind):
    [problem] = [p for p in draft_of(imageset(DataSetType=kind)).problems if p.code == "CXW907"]
    assert problem.severity == "warning" and f"DataSetType='{kind}'" in problem.message and problem.fix is None


def size_doubts(draft: ImageDraft) -> list:
    return [p for p in draft.problems if p.code == "CXW906"]


@pytest.mark.parametrize(("base", "levels", "pixels"), [(40.0, 2, 22), (10.0, 2, 1.3), (3.0, 6, 1.9), (40.0, 4, 87)])
def test_a_size_that_may_be_toastys_is_doubted_with_the_difference_and_a_fix_that_converts(base, levels, pixels):
    height = 256 * 2**levels
    text = imageset(BaseDegreesPerTile=str(base), TileLevels=str(levels), OffsetX=str(30 * base / height), OffsetY="0")
    draft = draft_of(text)
    [doubt] = size_doubts(draft)
    assert doubt.severity == "warning" and f"up to {pixels:.2g} pixels" in doubt.message
    draft.apply(doubt)
    assert size_doubts(draft) == []
    # As toasty meant it: a pixel is base / height degrees at the projection center, which is 30 of them left of the middle.
    header = draft.to_wcs_header()
    assert header["CD2_2"] / math.cos(math.radians(12.5)) == pytest.approx(base / height)
    assert header["CRPIX1"] == pytest.approx(height / 2 - 30 + 0.5)
    assert size_doubts(draft_of(draft.to_wtml())) == []


@pytest.mark.parametrize("attributes", [{"BaseDegreesPerTile": "2.0"}, {"Projection": "SkyImage", "TileLevels": "0"}])
def test_a_size_is_not_doubted_where_the_difference_is_invisible(attributes):
    assert size_doubts(draft_of(imageset(**attributes))) == []


def test_a_size_that_is_still_doubted_is_doubted_after_an_export_too():
    draft = draft_of(imageset(BaseDegreesPerTile="40"))
    assert len(size_doubts(draft_of(draft.to_wtml()))) == 1
    draft.wwt.base_degrees_per_tile = 39.0  # now it is what the user wants
    assert size_doubts(draft) == [] == size_doubts(draft_of(draft.to_wtml()))


def test_without_a_width_factor_a_tiled_image_is_two_tiles_wide_as_the_engine_takes_it():
    assert draft_of(imageset(WidthFactor=None)).wwt.width_factor == 1


@pytest.mark.parametrize(("tiles", "given", "fixed"), [(2, 2, 1), (1, 1, 2), (2, 1, None), (1, 2, None)])
def test_a_tree_of_another_width_than_its_width_factor_says_is_reported(tmp_path, tiles, given, fixed):
    (tmp_path / "0/0").mkdir(parents=True)
    for x in range(tiles):
        (tmp_path / f"0/0/0_{x}.png").touch()
    (tmp_path / "index_rel.wtml").write_text(folder(imageset(Url="{1}/{3}/{3}_{2}.png", WidthFactor=str(given))))
    draft = ImageDraft.from_wtml(tmp_path, autosave=False)
    problems = [p for p in draft.problems if p.code == "CXW908"]
    assert [p.fix.changes for p in problems] == ([{"wwt.width_factor": fixed}] if fixed else [])
    for problem in problems:
        draft.apply(problem)
    assert not [p for p in draft.problems if p.code == "CXW908"]


def test_an_image_without_a_name_is_called_as_its_place_which_is_offered_as_the_note():
    text = (
        f'<Folder><Place Name="Whirlpool"><ForegroundImageSet>{imageset(Name="")}</ForegroundImageSet></Place></Folder>'
    )
    draft = draft_of(text)
    assert (draft.name, draft.note) == ("Whirlpool", "")
    [offer] = [p for p in draft.problems if p.code == "CXW905"]
    assert offer.fix.changes == {"note": "Whirlpool"}


@pytest.mark.parametrize("note", ["", "M 51", "A spiral galaxy"])
def test_a_note_comes_back_from_wtml_as_it_was(note):
    draft = draft_of(imageset())
    draft.note = note
    assert draft_of(draft.to_wtml()).note == note


@pytest.mark.parametrize("ending", ["", ".fits"])
def test_a_local_hips_is_found_by_its_properties_and_its_tiles_without_their_extension(tmp_path, ending):
    (tmp_path / "Norder0/Dir0").mkdir(parents=True)
    (tmp_path / "properties").write_text("hips_frame = equatorial")
    (tmp_path / "Norder0/Dir0/Npix7.fits").write_bytes(b"SIMPLE")
    attributes = {"Projection": "Healpix", "FileType": "fits", "BaseDegreesPerTile": "180", "TileLevels": "1"}
    text = imageset(Url=f"Norder{{0}}/Dir{{1}}/Npix{{2}}{ending}", **attributes)
    (tmp_path / "index_rel.wtml").write_text(folder(text))
    draft = ImageDraft.from_wtml(tmp_path, autosave=False)
    local = draft.local
    assert local.template == "Norder{0}/Dir{1}/Npix{2}" and local.tiled and local.fits
    assert local.read("properties").startswith(b"hips_frame") and local.read("Norder0/Dir0/Npix7.fits") == b"SIMPLE"
    assert (local.top, local.coarsest) == ("properties", "Norder0/Dir0/Npix7.fits")
    assert sorted(local.listing(9, 999)) == ["Norder0/Dir0/Npix7.fits", "properties"]
    for name in ("Norder0/Dir0/Npix7", "Norder0/Dir0/Npix7.exe", "metadata.xml", "../properties"):
        with pytest.raises(PermissionError):
            local.read(name)
    draft.host_at("https://example.org/hips")
    assert "CXW304" not in {p.code for p in draft.problems}


@pytest.mark.parametrize(
    ("frame", "is_doubted"),
    [("equatorial", False), ("galactic", False), ("ecliptic", True), ("Galactic", True), ("mars", True), (None, False)],
)
def test_a_hips_in_a_frame_that_wwt_takes_for_equatorial_is_doubted(tmp_path, frame, is_doubted):
    lines = [
        "# hips_frame = none",
        "creator_did = ivo://example",
        *([f" hips_frame          = {frame}"] if frame else []),
    ]
    (tmp_path / "properties").write_text("\r\n".join(lines))
    attributes = {"Projection": "Healpix", "FileType": "png", "BaseDegreesPerTile": "180", "TileLevels": "1"}
    (tmp_path / "index_rel.wtml").write_text(folder(imageset(Url="Norder{0}/Dir{1}/Npix{2}", **attributes)))
    draft = ImageDraft.from_wtml(tmp_path, autosave=False)
    found = [problem.message for problem in draft.problems if problem.code == "CXW910"]
    draft.host_at("https://example.org/hips")
    assert [p.message for p in draft.problems if p.code == "CXW910"] == found
    assert [f"the frame '{frame}' (hips_frame)" in message for message in found] == [True] * is_doubted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_of_a_million_imagesets_each_can_be_read_in_little_memory_but_not_all(tmp_path, encoding, monkeypatch):
    path = tmp_path / "many.wtml"
    with path.open("w", encoding=encoding) as file:
        file.write("<Folder>")
        for start in range(0, 1_000_000, 50_000):
            names = range(start, start + 50_000)
            file.write("".join(f'<Place Name="a"><ImageSet Name="{name}" Url="a.png"/></Place>' for name in names))
        file.write("</Folder>")
    assert wtml.MOST_IMAGESETS == 50_000
    monkeypatch.setattr(wtml, "MOST_IMAGESETS", 2_000)  # to take less time here
    tracemalloc.start()
    try:
        first = ImageDraft.from_wtml(path, index=0, autosave=False)
        assert first.name == "0" and first.origin == f"{path}#0"
        assert ImageDraft.from_wtml(path, index=4_000, autosave=False).name == "4000"
        for read in (read_wtml, read_one):
            with pytest.raises(SourceError, match="more than 2,000 imagesets.* choose one with index="):
                read(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_folder_object_of_too_many_imagesets_is_refused_too(monkeypatch):
    monkeypatch.setattr(wtml, "MOST_IMAGESETS", 2)
    xml = "<Folder>{}</Folder>"
    assert len(read_wtml(xml.format('<ImageSet Name="a"/>' * 2))) == 2
    folder = Folder()
    folder.children = [ImageSet() for _ in range(3)]
    with pytest.raises(SourceError, match="more than 2 imagesets"):
        read_wtml(folder)
