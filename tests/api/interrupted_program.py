"""Run as a program: interrupt calls while they wait for a server, and print the tracebacks that show most.

Arguments: the address of a server that accepts requests and answers none, and a file to upload. The secrets come by
standard input, and no variable of this program holds one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
import warnings

from IPython.core.ultratb import VerboseTB
from rich.pretty import pretty_repr

from constellations_widgets.api import Constellations
from constellations_widgets.api.images.client import ImagesClient
from constellations_widgets.auth.credentials import Secret
from constellations_widgets.auth.identity import images_login
from constellations_widgets.auth.post_form import post_form

URL, FILE = sys.argv[1:]
SECRETS = [Secret(line.strip()) for line in sys.stdin]  # token, password


def tracebacks() -> str:
    """Return what a notebook, `rich` (which shows all local variables) and `cgitb` show."""
    error = sys.exc_info()
    texts = [VerboseTB(theme_name="nocolor").text(*error)]
    for frame, _ in traceback.walk_tb(error[2]):
        if frame.f_code.co_filename != __file__:
            texts += [pretty_repr(frame.f_locals, max_string=longest) for longest in (80, 10_000)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import cgitb  # gone from Python 3.13 on
        except ImportError:
            return "\n".join(texts)
    return "\n".join([*texts, cgitb.text(error, 9)])


def interrupt() -> None:
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)


client, images = Constellations(URL, SECRETS[0]), ImagesClient(URL, SECRETS[0])
images._listed = True  # it asks for the file's place in the list otherwise
CALLS = {
    "add_image": lambda: client.add_image("me", b"{}"),
    "update": lambda: client.handle("me"),
    "pages": lambda: list(client.handle_images("me")),
    "upload": lambda: images.upload(FILE),
    "download": lambda: images.open("0f8fad5b-d9cb-469f-a165-70867728950e"),
    "token endpoint": lambda: post_form(f"{URL}/token", {"refresh_token": SECRETS[0]}),
    "login": lambda: images_login(URL, "me", SECRETS[1]),
    "a connection that is kept": lambda: client.handle("kept"),
}

for name, call in CALLS.items():
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        call()
    except KeyboardInterrupt:
        print(f"\x1e{name}\n{tracebacks()}")
