"""Preview an image on the sky in WorldWide Telescope, describe it, find its problems, then publish it exactly once.

>>> import constellations_widgets as cxw
>>> cxw.publish("m51/index_rel.wtml")  # doctest: +SKIP

Each name is loaded on first use: importing the package loads neither pywwt nor astropy nor httpx.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Constellations, ImagesClient, Retries
    from .auth import Credentials, sign_in, sign_out
    from .checks import Fix, Problem
    from .draft import ImageDraft
    from .errors import (
        ApiError,
        BadAnswerError,
        BusyError,
        ConflictError,
        ConstellationsError,
        CreditsError,
        DraftError,
        ForbiddenError,
        HostingError,
        InvalidError,
        JournalError,
        LicenseError,
        NoAnswerError,
        NoIndexError,
        NotFoundError,
        NotSentError,
        PublishError,
        SandboxError,
        ServerError,
        SignInError,
        SolveError,
        SourceError,
        StatusError,
        StoppedError,
        TooLargeError,
        UnclearError,
    )
    from .hosting import (
        HostingProfile,
        HostingProgress,
        host_all,
        hosting_profiles,
        save_hosting_profile,
        tile_all,
    )
    from .hosting.address_check import AddressCheck, check_address
    from .hosting.host import Hosted, host
    from .outcomes import Outcome
    from .outputs.exports import to_wtml
    from .outputs.tiling import tile
    from .publishing import (
        Batch,
        SharedFields,
        history,
        publish_all,
        publish_draft,
        publish_scene,
        scene_of,
        settle_all,
    )
    from .publishing.published import PublishedImage
    from .publishing.published_scene import PublishedScene
    from .sandbox import Sandbox, running_sandbox
    from .schema.credits import clean_credits
    from .schema.images import ImagePermissions, ImageStorage, ImageSubmission, ImageWwt
    from .schema.license import normalize_license
    from .schema.records import Receipt
    from .schema.scenes import SceneReceipt, SceneSubmission
    from .schema.sky_view import SkyView
    from .solving import IndexDownload, Solution, Solving, find_position, index_download, nova_key, solve_all
    from .widgets.batch.folder import drafts_from
    from .widgets.batch.publisher import BatchPublisher
    from .widgets.form import ImageForm
    from .widgets.handle_images import HandleImages
    from .widgets.handle_scenes import HandleScenes
    from .widgets.library.image_library import ImageLibrary
    from .widgets.panel import publish
    from .widgets.preview import Preview
    from .widgets.preview.stand_alone import save_html
    from .widgets.publisher import Publisher
    from .widgets.sign_in import SignIn

__version__ = "0.1.0"

# Module of each public name.
_HOMES = {
    "draft": ["ImageDraft"],
    "outputs.exports": ["to_wtml"],
    "checks": ["Fix", "Problem"],
    "schema.images": ["ImagePermissions", "ImageStorage", "ImageSubmission", "ImageWwt"],
    "schema.license": ["normalize_license"],
    "schema.credits": ["clean_credits"],
    "schema.records": ["Receipt"],
    "schema.scenes": ["SceneReceipt", "SceneSubmission"],
    "schema.sky_view": ["SkyView"],
    "solving": ["IndexDownload", "Solution", "Solving", "find_position", "index_download", "nova_key", "solve_all"],
    "outcomes": ["Outcome"],
    "outputs.tiling": ["tile"],
    "api": ["Constellations", "ImagesClient", "Retries"],
    "auth": ["Credentials", "sign_in", "sign_out"],
    "hosting": [
        "AddressCheck",
        "Hosted",
        "HostingProfile",
        "HostingProgress",
        "check_address",
        "host",
        "host_all",
        "hosting_profiles",
        "save_hosting_profile",
        "tile_all",
    ],
    "publishing": [
        "Batch",
        "SharedFields",
        "history",
        "publish_all",
        "publish_draft",
        "publish_scene",
        "scene_of",
        "settle_all",
    ],
    "publishing.published": ["PublishedImage"],
    "publishing.published_scene": ["PublishedScene"],
    "sandbox": ["Sandbox", "running_sandbox"],
    "widgets.preview": ["Preview"],
    "widgets.preview.stand_alone": ["save_html"],
    "widgets.batch.folder": ["drafts_from"],
    "widgets.batch.publisher": ["BatchPublisher"],
    "widgets.form": ["ImageForm"],
    "widgets.handle_images": ["HandleImages"],
    "widgets.handle_scenes": ["HandleScenes"],
    "widgets.library.image_library": ["ImageLibrary"],
    "widgets.publisher": ["Publisher"],
    "widgets.sign_in": ["SignIn"],
    "widgets.panel": ["publish"],
    "errors": [
        "ApiError",
        "BadAnswerError",
        "BusyError",
        "ConflictError",
        "ConstellationsError",
        "CreditsError",
        "DraftError",
        "ForbiddenError",
        "HostingError",
        "InvalidError",
        "JournalError",
        "LicenseError",
        "NoAnswerError",
        "NotFoundError",
        "NoIndexError",
        "NotSentError",
        "PublishError",
        "SandboxError",
        "ServerError",
        "SignInError",
        "SolveError",
        "SourceError",
        "StatusError",
        "StoppedError",
        "TooLargeError",
        "UnclearError",
    ],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# Written out, since type checkers take only such a list to make the names public: with mypy's --strict, no other is.
__all__ = [
    "AddressCheck",
    "ApiError",
    "BadAnswerError",
    "Batch",
    "BatchPublisher",
    "BusyError",
    "ConflictError",
    "Constellations",
    "ConstellationsError",
    "Credentials",
    "CreditsError",
    "DraftError",
    "Fix",
    "ForbiddenError",
    "HandleImages",
    "HandleScenes",
    "Hosted",
    "HostingError",
    "HostingProfile",
    "HostingProgress",
    "ImageDraft",
    "ImageForm",
    "ImageLibrary",
    "ImagePermissions",
    "ImageStorage",
    "ImageSubmission",
    "ImageWwt",
    "ImagesClient",
    "IndexDownload",
    "InvalidError",
    "JournalError",
    "LicenseError",
    "NoAnswerError",
    "NoIndexError",
    "NotFoundError",
    "NotSentError",
    "Outcome",
    "Preview",
    "Problem",
    "PublishError",
    "PublishedImage",
    "PublishedScene",
    "Publisher",
    "Receipt",
    "Retries",
    "Sandbox",
    "SandboxError",
    "SceneReceipt",
    "SceneSubmission",
    "ServerError",
    "SharedFields",
    "SignIn",
    "SignInError",
    "SkyView",
    "Solution",
    "SolveError",
    "Solving",
    "SourceError",
    "StatusError",
    "StoppedError",
    "TooLargeError",
    "UnclearError",
    "check_address",
    "clean_credits",
    "drafts_from",
    "find_position",
    "history",
    "host",
    "host_all",
    "hosting_profiles",
    "index_download",
    "normalize_license",
    "nova_key",
    "publish",
    "publish_all",
    "publish_draft",
    "publish_scene",
    "running_sandbox",
    "save_hosting_profile",
    "save_html",
    "scene_of",
    "settle_all",
    "sign_in",
    "sign_out",
    "solve_all",
    "tile",
    "tile_all",
    "to_wtml",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
