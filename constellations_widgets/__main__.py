"""`python -m constellations_widgets`: what can be done from a shell."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from .errors import ConstellationsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m constellations_widgets", description="Images for WWT Constellations."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    _add_sandbox(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except ConstellationsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _add_sandbox(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("sandbox", help="run a test server that behaves as WWT Constellations does")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: any free port)")
    parser.add_argument("--path", metavar="FILE", help="an SQLite file that keeps what is published (default: memory)")
    parser.add_argument("--files", metavar="DIR", help="a folder to serve, open to every page")
    parser.add_argument("--handle", default="sandbox", help="the handle to publish under (default: sandbox)")
    parser.add_argument(
        "--show-token", action="store_true", help="print an access token of the handle's owner, and a password"
    )
    parser.set_defaults(run=_run_sandbox)


def _run_sandbox(options: argparse.Namespace) -> int:
    from .sandbox import Sandbox

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(handle=options.handle, port=options.port, path=options.path, files=options.files) as box:
        print(f"The sandbox is ready. Handle: {box.handle}")
        if options.files:
            print(f"Files of {options.files}: {box.files_url}")
        print("Clients find it and sign in there with these environment variables:")
        print(f"  export NUXT_PUBLIC_API_URL={box.api_url}")
        print(f"  export NUXT_PUBLIC_KEYCLOAK_URL={box.keycloak_url}")
        if options.show_token:
            print(f"Token of the owner, good for 12 hours: {box.token()}")
            print(f"Images API: {box.images_url}, name {box.images_user.name}, password {box.images_user.password}")
        else:
            print("For a token to use by hand, add --show-token.")
        print("Ctrl-C stops it.", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
