"""The commands without a terminal, as pipelines and CI run them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import HANDLE
from PIL import Image

from constellations_widgets.draft import ImageDraft
from constellations_widgets.geometry.extent import SkyView
from constellations_widgets.publishing import publish_scene

COMMANDS = "check tile host publish history scenes sign-in sign-out index-files sandbox".split()


def test_help_names_each_command_and_loads_nothing_heavy():
    code = (
        "import sys\nfrom constellations_widgets.cli.app import main\nstatus = main(['--help'])\n"
        "heavy = {'httpx', 'pydantic', 'numpy', 'astropy', 'ipywidgets', 'pywwt', 'starlette', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\nsys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_it_is_a_module_and_tells_its_version():
    command = [sys.executable, "-m", "constellations_widgets", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("constellations-widgets ")


def test_the_shell_completes_commands():
    environment = os.environ | {
        "_CONSTELLATIONS_WIDGETS_COMPLETE": "complete_bash",
        "COMP_WORDS": "constellations-widgets pub",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-m", "constellations_widgets"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["publish"]


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["publish", "--handle", "me"], ["publish", "a.png"], ["tile", "x"]]
)
def test_a_wrong_use_has_status_2(shell, arguments):
    done = shell.run(*arguments)
    assert done.returncode == 2 and "Error" in done.stderr and done.stdout == ""


class TestCheck:
    def test_an_image_without_errors_has_status_0(self, shell, draft_file):
        file = draft_file("fine")
        done = shell.run("check", file)
        assert done.returncode == 0 and done.stderr == ""
        assert " error" not in done.stdout.replace(file, "")

    def test_errors_have_status_1_and_are_named_with_file_and_field(self, shell, draft_file, tmp_path):
        good, bad = draft_file("fine"), draft_file("bad")
        content = json.loads(Path(bad).read_text())
        content["values"]["wwt.rotation"] = "x"
        Path(bad).write_text(json.dumps(content))
        done = shell.run("check", good, bad, "missing.png")
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        assert any(line.startswith(f"{bad}: CXW102 error wwt.rotation: ") for line in lines)
        assert any(line.startswith("missing.png: error: There is no file") for line in lines)
        assert not any(" error " in line.removeprefix(f"{good}: ") for line in lines if line.startswith(good))
        found = json.loads(shell.run("check", "--json", good, bad).stdout)
        assert [(it["file"], it["name"]) for it in found] == [(good, "fine"), (bad, "bad")]
        assert "wwt.rotation" in [it["field"] for it in found[1]["problems"] if it["severity"] == "error"]

    def test_every_image_of_a_wtml_file_is_checked(self, shell, tmp_path):
        imageset = (
            '<ImageSet Name="{}" Url="https://e.org/{}" DataSetType="Sky" Projection="SkyImage" FileType=".png"/>'
        )
        content = "".join(f"<Place>{imageset.format(name, name)}</Place>" for name in ("one", "two"))
        (tmp_path / "both.wtml").write_text(f"<Folder>{content}</Folder>")
        found = json.loads(shell.run("check", "--json", "both.wtml").stdout)
        assert [it["name"] for it in found] == ["one", "two"]


class TestPublish:
    def test_the_plan_comes_first_and_nothing_is_sent_without_a_yes(self, shell, draft_file):
        done = shell.run("publish", draft_file("unasked"), "--handle", HANDLE, "--no-probe")
        assert done.returncode == 1
        assert "publish: unasked" in done.stdout and "--yes" in done.stderr
        assert "unasked" not in shell.images()

    @pytest.mark.parametrize(
        ("receipts", "words"), [("out.txt", "ends in .json or .csv"), ("no/out.csv", "no such folder")]
    )
    def test_receipts_that_can_not_be_written_are_refused_before_anything_is_sent(
        self, shell, draft_file, receipts, words
    ):
        done = shell.run(
            "publish", draft_file("unwritten"), "--handle", HANDLE, "--no-probe", "--yes", "--receipts", receipts
        )
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
        assert "unwritten" not in shell.images()

    def test_it_is_published_once_however_often_it_is_run(self, shell, draft_file, tmp_path):
        files = [draft_file("first"), draft_file("second")]
        command = ["publish", *files, "--handle", HANDLE, "--no-probe", "--yes", "--receipts", "out.csv"]
        done = shell.run(*command)
        assert (done.returncode, done.stderr) == (0, "")
        plan, _, outcome = done.stdout.partition("published: first")
        assert "publish: first" in plan and "published: second" in outcome
        with (tmp_path / "out.csv").open(newline="") as file:
            assert [row["state"] for row in csv.DictReader(file)] == ["published", "published"]
        again = shell.run(*command)
        assert again.returncode == 0 and "skip: first" in again.stdout
        assert sorted(it for it in shell.images() if it in ("first", "second")) == ["first", "second"]
        (newest,) = json.loads(shell.run("history", "--json", "--limit", "1").stdout)
        assert (newest["state"], newest["handle"]) == ("published", HANDLE)
        assert newest["record"] in done.stdout and newest["record"] in shell.run("history").stdout

    def test_a_table_describes_the_files_and_what_does_not_fit_is_printed(self, shell, draft_file, tmp_path):
        files = [draft_file("one"), draft_file("two")]
        rows = [["one", "described"], ["nowhere.png", "lost"]]
        table = tmp_path / "table.csv"
        with table.open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows([["file", "title"], *rows])
        done = shell.run("publish", *files, "--handle", HANDLE, "--no-probe", "--yes", "--metadata", str(table))
        assert done.returncode == 0 and "nowhere.png" in done.stderr
        assert {"described", "two"} <= set(shell.images()) and "one" not in shell.images()

    def test_json_is_alone_on_stdout(self, shell, draft_file):
        done = shell.run("publish", draft_file("as json"), "--handle", HANDLE, "--no-probe", "--yes", "--json")
        (row,) = json.loads(done.stdout)
        assert (row["state"], row["receipt"]["body"]["note"]) == ("published", "as json")
        assert "publish: as json" in done.stderr

    def test_what_needs_a_decision_is_published_with_anyway_only(self, shell, draft_file):
        rights = {"copyright": "Copyright 2020 Henrietta Swan Leavitt", "license": "CC-BY-4.0"}
        command = ["publish", draft_file("no credits", permissions=rights), "--handle", HANDLE, "--no-probe", "--yes"]
        done = shell.run(*command)
        assert done.returncode == 1 and "decide: no credits" in done.stdout and "--anyway" in done.stderr
        assert "no credits" not in shell.images()
        assert shell.run(*command, "--anyway").returncode == 0
        assert shell.images().count("no credits") == 1

    def test_what_is_unclear_is_looked_for_and_sent_again_with_a_yes_only(self, shell, box, draft_file):
        command = ["publish", draft_file("unclear"), "--handle", HANDLE, "--no-probe"]
        box.faults.next("reset_before_read", method="POST", path="/handle/*/image")
        done = shell.run(*command, "--yes")
        assert done.returncode == 1 and "--resend-unclear" in done.stderr
        for without_a_yes in (command, [*command, "--resend-unclear"]):
            assert shell.run(*without_a_yes).returncode == 1
            assert "unclear" not in shell.images()
        assert "--yes" in shell.run(*command, "--resend-unclear").stderr
        assert shell.run(*command, "--resend-unclear", "--yes").returncode == 0
        assert shell.run(*command, "--resend-unclear", "--yes").returncode == 0
        assert shell.images().count("unclear") == 1

    def test_an_error_is_one_message(self, shell, draft_file):
        shell.environment |= {"CONSTELLATIONS_TOKEN": ""}
        done = shell.run("publish", draft_file("no token"), "--handle", HANDLE, "--yes", "--no-probe")
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith("error: Not signed in") and "Traceback" not in done.stderr


def test_a_picture_is_tiled_uploaded_and_ready_to_publish(shell, box, tmp_path):
    Image.new("RGB", (600, 400), "navy").save(tmp_path / "sky.png")
    command = ["tile", "sky.png", "--out", "tiles", "--center", "202.47", "47.2", "--width", "0.2"]
    done = shell.run(*command)
    assert done.returncode == 0, done.stderr
    folder = done.stdout.strip()
    made = Path(folder, "index_rel.wtml").stat().st_mtime_ns
    assert shell.run(*command).stdout.strip() == folder
    assert Path(folder, "index_rel.wtml").stat().st_mtime_ns == made

    upload = ["host", folder, "--to", str(box.files), "--public-url", box.files_url, "--save", "drafts"]
    done = shell.run(*upload)
    assert done.returncode == 0, done.stderr
    draft = ImageDraft.load(tmp_path / done.stdout.strip(), autosave=False)
    assert draft["storage.legacy_url_template"].startswith(box.files_url)
    (again,) = json.loads(shell.run(*upload, "--json").stdout)
    assert (again["sent"], again["url"]) == (0, draft["storage.legacy_url_template"])

    full = shell.run(*upload[:-1], "sky.png/drafts")
    assert full.returncode == 1 and full.stderr.startswith("error: The drafts can't be saved in sky.png/drafts")

    failed = shell.run("tile", "missing.png", "sky.png", "--out", "more", "--center", "1", "2", "--width", "0.2")
    assert failed.returncode == 1 and "missing" in failed.stderr
    assert Path(failed.stdout.strip(), "index_rel.wtml").exists()


def test_index_files_are_named_and_not_downloaded_without_a_yes(shell, tmp_path):
    pytest.importorskip("astrometry", reason="the list of index files comes from the package astrometry")
    done = shell.run("index-files", "--width", "0.3", "--near", "202.5", "47.2")
    assert done.returncode == 1 and "Add --yes to download them" in done.stderr
    assert "2 index files of astrometry.net" in done.stdout and "76 MB, from portal.nersc.gov to" in done.stdout
    assert not (shell.home / ".cache").exists()
    done = shell.run("index-files", "--width", "0.001")
    assert done.returncode == 1 and "error: astrometry.net has no index files" in done.stderr


def test_scenes_are_listed_shown_and_changed(shell, box, draft_file, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", shell.environment["CXW_STATE_DIR"])
    client = box.client()
    image = client.add_image(HANDLE, ImageDraft.load(draft_file("of a scene"), autosave=False).submission())
    scene = publish_scene(image, client, SkyView(10, 20, height=2), text="Look").id
    done = shell.run("scenes", "list", HANDLE)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if scene in line]
    assert "hidden" in line and "Look" in line and "0 likes" in line
    assert shell.run("scenes", "publish", scene).returncode == 0
    assert shell.run("scenes", "edit", scene, "--text", "After", "--link", "https://example.org").returncode == 0
    record = client.scene(scene)
    assert (record.published, record.text, record.outgoing_url) == (True, "After", "https://example.org")
    shown = shell.run("scenes", "show", scene).stdout
    assert "RA 10.00000°" in shown and image.id in shown and "https://example.org" in shown
    assert shell.run("scenes", "unpublish", scene).returncode == 0
    (listed,) = [it for it in json.loads(shell.run("scenes", "list", HANDLE, "--json").stdout) if it["id"] == scene]
    assert (listed["published"], listed["text"]) == (False, "After")
    for wrong in (["edit", scene], ["show", "x"], ["edit", scene, "--text", ""]):
        done = shell.run("scenes", *wrong)
        assert done.returncode == 1 and done.stderr.startswith("error: ")
