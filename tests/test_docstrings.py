"""The examples of the public names run, each in a folder with the files that they name and against a sandbox."""

from __future__ import annotations

import doctest
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.marked_fits import make_fits
from browser.marked_image import make_image
from PIL import Image

import constellations_widgets as cxw

DESCRIBED = {
    "note": "Four marks",
    "alt_text": "A gray rectangle with a mark in each corner.",
    "permissions.copyright": "Copyright 2026 Jane Doe",
    "permissions.license": "CC-BY-4.0",
    "permissions.credits": "Jane Doe",
}
NEEDS_A_PAGE = {"Preview.snapshot", "Preview.wwt"}
"""Names with examples that await what a page sends: the browser tests run them."""


class Checker(doctest.OutputChecker):
    """Compares what an example shows; one that shows no output may have any."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return not want or super().check_output(want, got, optionflags)


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in cxw.__all__:
        for test in finder.find(inspect.unwrap(getattr(cxw, name)), name, module=False):
            if test.examples and test.name not in NEEDS_A_PAGE:
                yield test


@pytest.fixture
def box() -> Iterator[cxw.Sandbox]:
    with cxw.Sandbox() as box:
        yield box


@pytest.fixture
def names(box: cxw.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the examples take for granted."""
    monkeypatch.chdir(tmp_path)
    make_fits(tmp_path / "m51.fits")
    with Image.open(make_image(tmp_path / "m51.png")) as image:
        image.convert("RGB").save("m51.jpg")
        image.save("m51.tif")
    (tmp_path / "images").mkdir()
    table = ["file,title,ra,dec,width"]
    for number in (1, 2, 3):
        make_image(tmp_path / "images" / f"{number}.png")
        table.append(f"{number}.png,Image {number},{150 + number},20,0.5")
    Path("metadata.csv").write_text("\n".join(table))
    client, handle = box.client(), box.handle

    def draft(number: int) -> cxw.ImageDraft:
        it = cxw.ImageDraft.from_image(f"images/{number}.png", center=(150 + number, 20), width=0.5, autosave=False)
        it.update(DESCRIBED)
        cxw.host(it, box)
        return it

    receipt = cxw.publish_draft(draft(3), client, handle, anyway=True)
    drafts = [draft(1), draft(2)]
    yield {
        "cxw": cxw,
        **{name: getattr(cxw, name) for name in cxw.__all__},
        **{"Path": Path, "json": json, "box": box, "client": client, "handle": handle, "api_url": box.api_url},
        **{"token": box.token(), "receipt": receipt, "draft": drafts[0], "drafts": drafts},
        **{"preview": cxw.Preview(drafts[0]), "base_url": box.images_url, "auth": box.images_auth()},
    }


@pytest.mark.parametrize("test", list(examples()), ids=lambda test: test.name)
def test_the_example_runs(
    test: doctest.DocTest, names: dict[str, Any], box: cxw.Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", box.token())
    monkeypatch.setenv("NUXT_PUBLIC_API_URL", box.api_url)
    monkeypatch.setenv("NUXT_PUBLIC_KEYCLOAK_URL", box.keycloak_url)
    test.globs = names
    report: list[str] = []
    runner = doctest.DocTestRunner(checker=Checker(), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_every_public_name_has_an_example():
    shown = {test.name.split(".")[0] for test in examples()}
    errors = {name for name in cxw.__all__ if inspect.isclass(it := getattr(cxw, name)) and issubclass(it, Exception)}
    assert set(cxw.__all__) - errors - shown == set()


def test_every_public_name_is_in_the_api_reference():
    reference = (Path(__file__).parents[1] / "notebooks" / "api.md").read_text("utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", reference, flags=re.MULTILINE)) == sorted(cxw.__all__)
