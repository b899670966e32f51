"""Run the sandbox until it is stopped."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from ..sandbox import Sandbox


def run(port: int, path: str | None, files: Path | None, origins: list[str], handle: str, *, show_token: bool) -> int:
    """Run the sandbox, print how clients find it, and wait for SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(handle=handle, port=port, path=path, files=files, origins=origins) as box:
        print(f"The sandbox is ready. Handle: {box.handle}")
        if files:
            print(f"Files of {files}: {box.files_url}")
        print("Clients find it and sign in there with these environment variables:")
        print(f"  export NUXT_PUBLIC_API_URL={box.api_url}")
        print(f"  export NUXT_PUBLIC_KEYCLOAK_URL={box.keycloak_url}")
        if show_token:
            print(f"Token of the owner, good for 12 hours: {box.token()}")
            print(f"Images API: {box.images_url}, name {box.images_user.name}, password {box.images_user.password}")
        else:
            print("For a token to use by hand, add --show-token.")
        print("Ctrl-C stops it.", flush=True)
        stop.wait()
    return 0
