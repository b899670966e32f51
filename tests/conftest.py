"""For all tests: nothing of the user's own is read or written."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from open_files import close_journals
from solving.index_files import index_folder  # noqa: F401  # a fixture

from constellations_widgets import Constellations, Sandbox, autosave

# Files that take longest, browser tests aside: several workers (`pytest -n 2 --dist=loadfile`) begin with them, and end
# with short ones, so that none works alone for long.
LONG = (
    "adversary/test_simulator.py",
    "outputs/test_vips_tiles.py",
    "hosting/test_many.py",
    "adversary/test_scenarios.py",
    "adversary/test_mutants.py",
    "publishing/test_kill.py",
    "widgets/test_lifetime.py",
    "sandbox/test_official_client.py",
    "test_installed_wheel.py",
    "test_demo.py",
    "test_types.py",
    "test_package.py",
    "sources/test_oracle.py",
    "geometry/test_oracle.py",
    "sandbox/test_verdicts.py",
    "publishing/test_interrupts.py",
    "hosting/test_host.py",
    "widgets/test_full_disk.py",
)

# How long an example takes says nothing on a busy machine. `make test` must give the same verdict twice for the same
# code, so its examples are derived from the test's name; `make fuzz` draws them at random, and more of them.
UNTIMED = [HealthCheck.too_slow]
settings.register_profile("fixed", deadline=None, derandomize=True, database=None, suppress_health_check=UNTIMED)
settings.register_profile("fuzz", deadline=None, max_examples=2000, suppress_health_check=UNTIMED)
settings.load_profile(os.environ.get("CXW_HYPOTHESIS_PROFILE", "fixed"))

_numbers = itertools.count()  # of the tests' state folders

# A shell without job control, and nohup, start background processes with SIGINT ignored. Python then installs no handler,
# `_thread.interrupt_main` does nothing, and child processes ignore the signal too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What fixtures for several tests keep goes to this folder, and the user's tokens and keyring stay out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setenv("CXW_STATE_DIR", str(folder))
        patch.setenv("CXW_CACHE_DIR", str(folder / "cache"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        for variable in (
            "CONSTELLATIONS_TOKEN",
            "IMAGES_API_TOKEN",
            "NUXT_PUBLIC_API_URL",
            "NUXT_PUBLIC_KEYCLOAK_URL",
            "KEYCLOAK_URL",
            "WWT_API_CLIENT_ID",
        ):
            patch.delenv(variable, raising=False)
        yield folder


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of one test, made when it is used: no test finds what another one left."""
    autosave.flush_all()  # what drafts of earlier tests wait to save: no timer of theirs may write into this folder
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.getbasetemp() / "states" / str(next(_numbers))
        patch.setenv("CXW_STATE_DIR", str(folder))
        yield folder


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`tmp_path`, as the current folder: what is saved "beside the notebook" goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def journals_are_closed(state_of_its_own: Path, state: Path) -> Iterator[None]:
    """Close the journals of a test's own state directory at its end."""
    yield
    close_journals(state_of_its_own)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A sandbox for the tests of one file."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Constellations]:
    """A client of `box`, signed in as the owner of its handle."""
    with box.client() as signed_in:
        yield signed_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {path: place for place, path in enumerate(LONG)}
    here = Path(__file__).parent

    def place(item: pytest.Item) -> tuple[bool, int]:
        return "browser" not in item.path.parts, places.get(os.path.relpath(item.path, here), len(LONG))

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why a test was run once more: pytest-rerunfailures only names it, and the second run says nothing of the cause."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"failed the first time: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
