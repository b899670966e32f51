"""Reading back: records, lists, pages, WTML, and who may see what."""

from __future__ import annotations

import httpx
import pytest

from constellations_widgets.sandbox import Sandbox


@pytest.fixture
def shelf(image):
    """A sandbox of its own, with six images of the owner and one of another handle."""
    with Sandbox() as box:
        box.add_handle("others", "The others", owner="somebody-else")
        with httpx.Client(base_url=box.api_url, headers={"Authorization": f"Bearer {box.token()}"}) as client:
            ids = [client.post("/handle/sandbox/image", json=image | {"note": str(i)}).json()["id"] for i in range(6)]
            token = {"Authorization": f"Bearer {box.token(account='somebody-else')}"}
            ids.append(client.post("/handle/others/image", json=image | {"note": "6"}, headers=token).json()["id"])
            yield box, client, ids


def test_a_posted_image_answers_with_its_address(owner, image):
    answer = owner.post("/handle/sandbox/image", json=image)
    id = answer.json()["id"]
    assert (answer.status_code, len(id), bytes.fromhex(id).hex()) == (200, 24, id)
    assert answer.text == f'{{"error":false,"id":"{id}","rel_url":"/image/{id}"}}'


def test_the_same_image_twice_is_two_records(add):
    assert add() != add()


def test_a_record_shows_what_was_sent_in_order(anyone, add, image):
    image["wwt"] = dict(reversed(image["wwt"].items())) | {"extra": [1, {"b": None}]}
    record = anyone.get(f"/image/{add(**image)}").json()
    names = ["id", "handle_id", "handle", "creation_date", "wwt", "permissions", "storage", "note", "alt_text", "error"]
    assert list(record) == names
    assert record["handle"] == {"handle": "sandbox", "display_name": "Sandbox"}
    assert record["creation_date"].endswith("Z") and len(record["creation_date"]) == 24
    assert list(record["wwt"].items()) == list(image["wwt"].items())
    assert {name: record[name] for name in ("permissions", "storage", "note", "alt_text")} == {
        name: image[name] for name in ("permissions", "storage", "note", "alt_text")
    }
    assert record["error"] is False


def test_what_was_left_out_is_left_out_but_the_template_is_null(owner, image):
    del image["alt_text"], image["permissions"]["credits"], image["storage"]["legacy_url_template"]
    record = owner.get(owner.post("/handle/sandbox/image", json=image).json()["rel_url"]).json()
    assert "alt_text" not in record
    assert "credits" not in record["permissions"]
    assert record["storage"] == {"legacy_url_template": None}


def test_unknown_fields_at_the_top_are_dropped_and_inside_are_kept(owner, image):
    image |= {"_id": "x", "handle_id": "y", "creation_date": "z", "builtin_background_sort_key": 1, "more": 2}
    image["storage"]["more"] = image["permissions"]["more"] = "kept"
    record = owner.get(owner.post("/handle/sandbox/image", json=image).json()["rel_url"]).json()
    assert record["storage"]["more"] == record["permissions"]["more"] == "kept"
    assert not {"_id", "more", "builtin_background_sort_key"} & set(record)
    assert record["handle_id"] != "y"
    backgrounds = owner.get("/images/builtin-backgrounds").json()
    assert backgrounds["error"] is False
    assert record["id"] not in [it["_id"] for it in backgrounds["results"]]


def test_unknown_ids_are_404_and_malformed_ones_500(anyone, add):
    id = add()
    assert anyone.get(f"/image/{id.upper()}").status_code == 200
    for unknown in ("0" * 24, "twelve bytes", "%C3%A9234567890%41"):
        answer = anyone.get(f"/image/{unknown}")
        status = 500 if unknown.startswith("%") else 404
        assert answer.status_code == status
    for malformed in ("xyz", id[:-1], "g" * 24):
        answer = anyone.get(f"/image/{malformed}")
        assert (answer.status_code, answer.json()["message"]) == (500, f"error serving GET /image/{malformed}")


def test_who_may_edit(anyone, owner, other, add):
    id = add()
    for client, edit in ((anyone, False), (other, False), (owner, True)):
        assert client.get(f"/image/{id}/permissions").json() == {"error": False, "id": id, "edit": edit}
        answer = client.get("/handle/sandbox/permissions").json()
        assert answer == {"error": False, "handle": "sandbox", "view_dashboard": edit}
    assert anyone.get("/handle/nobody/permissions").json()["message"] == "Not found"


def test_the_wtml_is_the_recorded_one(anyone, add):
    answer = anyone.get(f"/image/{add()}/img.wtml")
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.text == (
        '<Folder Browseable="True" Group="Explorer" Name="A note" Searchable="True" Type="Sky">'
        '<ImageSet BandPass="Visible" DataSetType="Sky" BaseTileLevel="0" ElevationModel="False" Generic="False" '
        'Sparse="True" StockSet="False" BaseDegreesPerTile="1.5" BottomsUp="False" CenterX="10.25" CenterY="-20.5" '
        'FileType=".png" Name="A note" OffsetX="0.1" OffsetY="-0.2" Projection="Tan" QuadTreeMap="" Rotation="12.5" '
        'TileLevels="4" WidthFactor="2" Url="http://example.com/{1}/{3}/{3}_{2}.png"><Description>A note</Description>'
        "<Credits>By &lt;b&gt;me&lt;/b&gt;</Credits><ThumbnailUrl>http://example.com/t.jpg</ThumbnailUrl>"
        "</ImageSet></Folder>"
    )


def test_the_wtml_of_odd_values(anyone, add, image):
    image["wwt"] |= {"rotation": 1e-7, "center_x": 1e21}
    image["permissions"]["credits"] = "a & <b>"
    text = anyone.get(f"/image/{add(**image)}/img.wtml").text
    assert 'Rotation="1e-7"' in text and 'CenterX="1e+21"' in text
    assert "<Credits>a &amp; &lt;b&gt;&lt;/b&gt;</Credits>" in text
    del image["permissions"]["credits"]
    assert "<Credits" not in anyone.get(f"/image/{add(**image)}/img.wtml").text
    id = add(note="a\nb\0")
    assert 'Name="a\nb\0"' in anyone.get(f"/image/{id}/img.wtml").text


@pytest.mark.parametrize("storage", [{}, {"legacy_url_template": ""}])
def test_no_wtml_without_a_template(anyone, add, storage):
    path = f"/image/{add(storage=storage)}/img.wtml"
    answer = anyone.get(path)
    assert (answer.status_code, answer.json()["message"]) == (500, f"error serving GET {path}")


def test_images_are_found_by_their_url_and_by_nothing_near_it(anyone, owner, add, image):
    url = "http://example.com/only/here/{1}.png"
    ids = {add(storage={"legacy_url_template": url}) for _ in range(2)}
    found = anyone.post("/images/find-by-legacy-url", json={"wwt_legacy_url": url}).json()
    assert {result["_id"] for result in found["results"]} == ids
    assert list(found["results"][0]) == ["_id", "handle_id", "creation_date", "storage", "note"]
    for near in (url + " ", url.upper(), url[:-1]):
        assert anyone.post("/images/find-by-legacy-url", json={"wwt_legacy_url": near}).json() == {
            "error": False,
            "results": [],
        }
    answer = anyone.post("/images/find-by-legacy-url", json={})
    leaf = "{ wwt_legacy_url: string }/wwt_legacy_url: string"
    message = f"Submission did not match schema: Invalid value undefined supplied to : {leaf}"
    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_the_list_of_a_handle_is_newest_first_and_for_the_owner_alone(shelf, image):
    box, client, _ids = shelf
    answer = client.get("/handle/sandbox/imageinfo", params={"page": 0, "pagesize": 3}).json()
    assert answer["total_count"] == 6
    assert [result["note"] for result in answer["results"]] == ["5", "4", "3"]
    assert list(answer["results"][0]) == ["_id", "handle_id", "creation_date", "storage", "note"]
    assert client.get("/handle/others/imageinfo").status_code == 403
    assert client.get("/handle/nobody/imageinfo").status_code == 404
    assert httpx.get(f"{box.api_url}/handle/sandbox/imageinfo").status_code == 403
    assert httpx.get(f"{box.api_url}/handle/sandbox/stats").status_code == 403


@pytest.mark.parametrize(
    ("query", "notes"),
    [
        ({}, "543210"),
        ({"pagesize": 2}, "54"),
        ({"page": 1, "pagesize": 4}, "10"),
        ({"page": 9}, ""),
        ({"page": "1e300", "pagesize": 2}, "32"),
        ({"page": "9" * 400}, ""),
        ({"page": "-1"}, "543210"),
        ({"page": "abc"}, "543210"),
        ({"pagesize": "1.9"}, "5"),
        ({"pagesize": "2x"}, "54"),
        ({"pagesize": "1e2"}, "5"),
        ({"pagesize": " 3"}, "543"),
        *(({"pagesize": size}, "543210") for size in (0, -5, 101, 100, "NaN", "abc", "")),
    ],
)
def test_pages_are_read_as_parse_int_reads(shelf, query, notes):
    _, client, _ = shelf
    answer = client.get("/handle/sandbox/imageinfo", params=query).json()
    assert answer["total_count"] == 6
    assert "".join(result["note"] for result in answer["results"]) == notes


def test_a_page_size_out_of_range_is_ten(shelf, image):
    _, client, _ = shelf
    for _ in range(6):
        client.post("/handle/sandbox/image", json=image)
    for size, count in ((101, 10), (0, 10), (12, 12), (100, 12)):
        assert len(client.get("/handle/sandbox/imageinfo", params={"pagesize": size}).json()["results"]) == count


def test_stats_count_images_and_scenes(shelf):
    _, client, _ = shelf
    scenes = {"count": 0, "impressions": 0, "likes": 0, "clicks": 0, "shares": 0}
    expected = {"error": False, "handle": "sandbox", "images": {"count": 6}, "scenes": scenes}
    assert client.get("/handle/sandbox/stats").json() == expected


def test_backgrounds_come_in_their_order(shelf):
    box, client, ids = shelf
    box.add_background(ids[6], 2)
    box.add_background(ids[0], 1)
    results = client.get("/images/builtin-backgrounds").json()["results"]
    assert [result["_id"] for result in results] == [ids[0], ids[6]]
    assert list(results[0]) == ["_id", "handle_id", "creation_date", "storage", "note"]


def test_a_handle_that_is_unknown(anyone):
    answer = anyone.get("/handle/nobody")
    assert (answer.status_code, answer.json()) == (404, {"error": True, "message": "Not found"})
