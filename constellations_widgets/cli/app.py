"""The commands and their options."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConstellationsError
from ..interface import command_line

PROGRAM = "constellations-widgets"

_EPILOG = (
    "Tokens are read from the environment (CONSTELLATIONS_TOKEN) or from the stored sign-in, never from the command line. "
    "The API is --api-url, or NUXT_PUBLIC_API_URL of the environment, or production."
)
app = typer.Typer(
    name=PROGRAM,
    help="Check, tile, host and publish images for WWT Constellations.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, which may hold a token
    context_settings={"help_option_names": ["-h", "--help"]},
)
_scenes = typer.Typer(help="List, show and change the scenes of a handle.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_scenes, name="scenes")

_FILES = typer.Argument(help="WTML, FITS, JPEG, PNG or TIFF files, folders of tiles, or saved drafts.")
Files = Annotated[list[str], _FILES]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ApiUrl = Annotated[str | None, typer.Option(metavar="URL", help="The API.", show_default="production")]
SceneId = Annotated[str, typer.Argument(metavar="ID", help="The scene's id.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    try:
        with command_line():
            app(args=None if arguments is None else list(arguments), prog_name=PROGRAM)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _command(group: typer.Typer, name: str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Register a function that returns the exit status. An error of the package is one message, without a traceback."""

    def register(function: Callable[..., int]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> None:
            try:
                status = function(*args, **options)
            except ConstellationsError as error:
                print(f"error: {error}", *getattr(error, "__notes__", ()), file=sys.stderr)
                status = 1
            raise typer.Exit(status)

        group.command(name)(run)
        return run

    return register


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@_command(app, "check")
def check(files: Files, json: Json = False) -> int:
    """Find the problems of images. Exit status 1 if one has an error."""
    from .checking import check

    return check(files, as_json=json)


@_command(app, "tile")
def tile(
    files: Annotated[list[Path], typer.Argument(help="FITS, JPEG, PNG or TIFF files.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the folders of tiles.")],
    file_type: Annotated[
        str, typer.Option(metavar="TYPE", help="File type of the tiles: .png, .jpg or .fits.")
    ] = ".png",
    center: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="RA DEC", help="Center in degrees, for a picture without a placement.", show_default=False
        ),
    ] = None,
    width: Annotated[float | None, typer.Option(metavar="DEGREES", help="Width of the picture on the sky.")] = None,
    rotation: Annotated[float | None, typer.Option(metavar="DEGREES", help="Position angle of its upper edge.")] = None,
) -> int:
    """Cut images into tiles. Run again, it makes what is missing."""
    from .files import tile

    return tile(files, out, file_type, {"center": center, "width": width, "rotation": rotation})


@_command(app, "host")
def host(
    files: Files,
    to: Annotated[
        str,
        typer.Option(metavar="TARGET", help="A folder, an address (s3://…, sftp://…, https://…) or a saved profile."),
    ],
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address under which browsers find the target's files.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the drafts with their new addresses, for `publish`.")
    ] = None,
    json: Json = False,
) -> int:
    """Upload files to web space that you have, and verify their addresses. Run again, it sends what is missing."""
    from .files import host

    return host(files, to, public_url, save, as_json=json)


@_command(app, "publish")
def publish(
    files: Files,
    handle: Annotated[str, typer.Option(metavar="HANDLE", help="Handle to publish under.")],
    api_url: ApiUrl = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Publish without asking; needed without a terminal.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Publish also images with warnings, or that another handle has.")
    ] = False,
    resend_unclear: Annotated[
        bool,
        typer.Option("--resend-unclear", help="Send again what was sent before if, after a wait, the server lacks it."),
    ] = False,
    probe: Annotated[bool, typer.Option(help="Whether to check each image's addresses on the web first.")] = True,
    metadata: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="CSV file that describes the files, or one folder of them.", show_default=False
        ),
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the receipts: .json or .csv.", show_default=False)
    ] = None,
    json: Json = False,
) -> int:
    """Show the plan, then publish each image exactly once. A published image can be neither corrected nor deleted.

    Run again after an interrupt or a crash, it continues: what is published is not sent again. Exit status 1 if an image
    was not published.
    """
    from .publish import publish

    return publish(
        files,
        handle,
        api_url,
        yes=yes,
        anyway=anyway,
        resend_unclear=resend_unclear,
        probe=probe,
        metadata=metadata,
        receipts=receipts,
        as_json=json,
    )


@_command(app, "history")
def history(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many attempts, the newest first.")] = 20,
    json: Json = False,
) -> int:
    """Show what was published from this machine."""
    from .publish import history

    return history(limit, as_json=json)


@_command(_scenes, "list")
def scenes_list(
    handle: Annotated[str, typer.Argument(help="The handle.")], api_url: ApiUrl = None, json: Json = False
) -> int:
    """List the scenes of a handle, published or not, with their counters."""
    from .scenes import list_scenes

    return list_scenes(handle, api_url, as_json=json)


@_command(_scenes, "show")
def scenes_show(scene: SceneId, api_url: ApiUrl = None, json: Json = False) -> int:
    """Show a scene."""
    from .scenes import show

    return show(scene, api_url, as_json=json)


@_command(_scenes, "edit")
def scenes_edit(
    scene: SceneId,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The new text.")] = None,
    link: Annotated[str | None, typer.Option(metavar="URL", help='The new web address of "see more".')] = None,
    background: Annotated[str | None, typer.Option(metavar="ID", help="Id of the image behind the scene.")] = None,
    api_url: ApiUrl = None,
) -> int:
    """Change a scene's text, link or background."""
    from .scenes import edit

    return edit(scene, api_url, text=text, outgoing_url=link, background_id=background)


@_command(_scenes, "publish")
def scenes_publish(scene: SceneId, api_url: ApiUrl = None) -> int:
    """Make a scene public on the handle's page."""
    from .scenes import edit

    return edit(scene, api_url, published=True)


@_command(_scenes, "unpublish")
def scenes_unpublish(scene: SceneId, api_url: ApiUrl = None) -> int:
    """Remove a scene from the handle's page. It can be published again."""
    from .scenes import edit

    return edit(scene, api_url, published=False)


@_command(app, "sign-in")
def sign_in(api_url: ApiUrl = None) -> int:
    """Sign in, in a browser on this or another machine, and store the sign-in for later commands and notebooks."""
    from .accounts import sign_in

    return sign_in(api_url)


@_command(app, "sign-out")
def sign_out(api_url: ApiUrl = None) -> int:
    """Delete the stored sign-in, and end it at the server."""
    from .accounts import sign_out

    return sign_out(api_url)


@_command(app, "index-files")
def index_files(
    width: Annotated[
        float | None, typer.Option(metavar="DEGREES", help="Width of the pictures' longer side.", show_default=False)
    ] = None,
    near: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="RA DEC", help="A position in the pictures, in degrees.", show_default=False),
    ] = None,
    radius: Annotated[
        float | None, typer.Option(metavar="DEGREES", help="How far from it they may be.", show_default="1")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Download without asking; needed without a terminal.")
    ] = False,
) -> int:
    """Download index files of astrometry.net, with which positions are found: name their size and source, then ask.

    Without a width, those for all pictures of more than 0.7 degrees. Run again after an interrupt, it continues.
    """
    from .files import index_files

    return index_files(width, near, radius, yes=yes)


@_command(app, "sandbox")
def sandbox(
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1; 0 is any free port.")] = 0,
    path: Annotated[
        str | None, typer.Option(metavar="FILE", help="An SQLite file that keeps what is published (default: memory).")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder to serve, to pages of this machine.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A page elsewhere that may read these files (http://host:port)."),
    ] = None,
    handle: Annotated[str, typer.Option(help="The handle to publish under.")] = "sandbox",
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print an access token of the handle's owner, and a password.")
    ] = False,
) -> int:
    """Run a test server that behaves as WWT Constellations does."""
    from .sandbox import run

    return run(port, path, files, origin or [], handle, show_token=show_token)
