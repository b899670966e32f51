"""Many images at once, with every kind of executor: as one after the other, and one that fails alone."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hosting.servers import folder_place
from PIL import Image

from constellations_widgets import ImageDraft, host_all, tile_all
from constellations_widgets.errors import HostingError

PLACEMENT = {"center": (202.4, 47.2), "width": 0.2}


@pytest.fixture
def pictures(tmp_path, own_folder) -> list[Path]:
    made = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (300, 400, 3), "uint8")
        made.append(tmp_path / f"field {number}.png")
        Image.fromarray(pixels).save(made[-1])
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below `folder` but for the hidden folders that a killed worker leaves unfinished."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def test_processes_and_threads_make_the_same_tiles(pictures, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        first = tile_all(pictures, tmp_path / "a", executor=threads, **PLACEMENT)
    with ProcessPoolExecutor(2) as processes:
        second = tile_all([(path, PLACEMENT) for path in pictures], tmp_path / "b", executor=processes)
    assert [outcome.error for outcome in first + second] == [""] * 6
    assert [outcome.result.name for outcome in first] == ["field-0", "field-1", "field-2"]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_run_again_it_makes_what_is_missing(pictures, tmp_path):
    first = tile_all(pictures[:2], tmp_path / "out", **PLACEMENT)
    before = contents(tmp_path / "out")
    second = tile_all(pictures, tmp_path / "out", **PLACEMENT)
    assert [outcome.result for outcome in second[:2]] == [outcome.result for outcome in first]
    assert before.items() <= contents(tmp_path / "out").items() and not any(outcome.error for outcome in second)
    pictures[0].write_bytes(pictures[1].read_bytes())
    assert "already exists" in tile_all(pictures, tmp_path / "out", **PLACEMENT)[0].error


def test_drafts_that_were_tiled_before_are_kept_also_with_a_space_in_the_file_name(pictures, tmp_path):
    draft = ImageDraft.from_image(pictures[0], autosave=False, **PLACEMENT)
    first, second = (tile_all([draft], tmp_path / "out") for _ in range(2))
    assert second == first and not first[0].error
    assert "is not a single image file" in tile_all([ImageDraft(autosave=False)], tmp_path / "out")[0].error


def test_one_that_fails_is_named_and_stops_no_other(pictures, tmp_path):
    pictures[1].write_bytes(b"no picture")
    told = []
    outcomes = tile_all(pictures, tmp_path / "out", on_done=lambda *each: told.append(each), **PLACEMENT)
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert "field 1" in outcomes[1].name and outcomes[1].result is None
    assert [(done, total) for _, done, total in told] == [(1, 3), (2, 3), (3, 3)]


@pytest.fixture
def wide(tmp_path) -> Path:
    """Return a picture of so many pixels a side that it is cut in several tasks."""
    pixels = np.random.default_rng(9).integers(0, 255, (40, 17_000, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    return tmp_path / "wide.png"


@pytest.mark.parametrize(("pool", "parity"), [(ThreadPoolExecutor, -1), (ProcessPoolExecutor, 1)])
def test_a_large_picture_is_cut_in_several_tasks_to_the_same_bytes(wide, tmp_path, pool, parity):
    options = PLACEMENT | {"parity": parity}
    alone = tile_all([wide], tmp_path / "alone", **options)
    tasks = []

    class Counting(pool):
        def submit(self, function, *arguments):
            tasks.append(function.__name__)
            return super().submit(function, *arguments)

    told = []
    with Counting(2) as executor:
        done = tile_all(
            [wide], tmp_path / "split", executor=executor, on_done=lambda *each: told.append(each), **options
        )
    assert [outcome.error for outcome in alone + done] == ["", ""] and told == [(done[0], 1, 1)]
    assert tasks == ["_tile_one", *["write"] * 8, "finish"]
    assert contents(tmp_path / "split") == contents(tmp_path / "alone") and len(contents(tmp_path / "alone")) > 200
    assert [path.name for path in (tmp_path / "split").iterdir()] == ["wide"]


def test_a_large_picture_that_is_damaged_fails_alone_and_leaves_nothing(wide, pictures, tmp_path):
    wide.write_bytes(wide.read_bytes()[:-500_000])
    with ThreadPoolExecutor(2) as threads:
        outcomes = tile_all([wide, pictures[0]], tmp_path / "out", executor=threads, **PLACEMENT)
    assert "wide.png can't be cut into tiles" in outcomes[0].error and not outcomes[1].error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["field-0"]


def test_hosted_in_processes_the_drafts_here_have_their_addresses(pictures, tmp_path):
    drafts = [ImageDraft.from_image(path, autosave=False, **PLACEMENT) for path in (*pictures, pictures[0])]
    with folder_place(tmp_path / "place") as place, ProcessPoolExecutor(2) as processes:
        outcomes = host_all(drafts, place.target, place.public_url, executor=processes)
        assert [outcome.error for outcome in outcomes] == [""] * 4
        for draft, outcome in zip(drafts, outcomes, strict=True):
            assert draft.storage.legacy_url_template == outcome.result.url
        assert outcomes[3].result.url == f"{place.public_url}field-0-2/field%200.png"
        assert place.read("field-2/field 2.png") == pictures[2].read_bytes()


@pytest.mark.parametrize("target", [None, "", 7])
def test_what_is_no_folder_or_address_is_refused_before_a_folder_is_made(pictures, tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    draft = ImageDraft.from_image(pictures[0], autosave=False, **PLACEMENT)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(HostingError, match="must be a folder or an address"):
        host_all([draft], target, "https://example.org/")
    assert sorted(tmp_path.iterdir()) == before


def test_a_dask_cluster_makes_the_same_tiles_although_a_worker_dies(pictures, wide, tmp_path):
    """One worker is killed after the first image, when those of the large picture's subtrees are queued or being cut."""
    distributed = pytest.importorskip("distributed")
    sources = [*pictures, wide]
    alone = tile_all(sources, tmp_path / "alone", **PLACEMENT)
    assert [outcome.error for outcome in alone] == [""] * 4
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = []

        def kill_a_worker(*_: object) -> None:
            if not killed:
                killed.append(next(iter(cluster.workers.values())))
                killed[0].process.process._process.kill()

        outcomes = tile_all(
            sources, tmp_path / "cluster", executor=client.get_executor(), on_done=kill_a_worker, **PLACEMENT
        )
    assert killed and [outcome.error for outcome in outcomes] == [""] * 4
    assert contents(tmp_path / "cluster") == contents(tmp_path / "alone")
