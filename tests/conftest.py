"""For all tests: nothing of the user's own is read or written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from constellations_widgets import Constellations, Sandbox

# How long an example takes says nothing on a busy machine.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drafts and journals of the tests go to a folder of theirs, and the user's tokens and keyring stay out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXW_STATE_DIR", str(tmp_path_factory.mktemp("state")))
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
        yield


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
    # They take longest: of several workers (`pytest -n 2`), each begins with a file of them.
    items.sort(key=lambda item: "browser" not in item.path.parts)
