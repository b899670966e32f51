"""Uploading a pyramid of 5,461 tiles to S3 on loopback, against ``rclone copy`` as it comes and boto3 one by one.

rclone (Debian: rclone) is left out where it is not installed. Of the call that finds everything in place the time is
compared with that of the first call.
"""

from __future__ import annotations

import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, seconds
from benchmarks.pyramid import LEVELS as FEW_LEVELS
from benchmarks.pyramid import WTML, make_pyramid
from PIL import Image

import constellations_widgets as cxw

SERVER = Path(__file__).with_name("s3_in_memory.py")
LEVELS = 6
TILES = sum(4**level for level in range(LEVELS + 1))
ROUNDS = 3


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        tree = large_pyramid(Path(folder))
        os.environ["CXW_STATE_DIR"] = str(Path(folder, "state"))
        ours: list[float] = []
        again: list[float] = []
        rclones: list[float] = []
        botos: list[float] = []
        for turn in range(ROUNDS):
            first, second = upload(tree)
            ours.append(first)
            again.append(second)
            if shutil.which("rclone"):
                rclones.append(on_server(lambda port: rclone(tree, port)))
            if turn == 0:
                botos.append(on_server(lambda port: one_by_one(tree, port)))
    first = statistics.median(ours)
    if not rclones:
        print("rclone is not installed, so it is not measured: apt-get install rclone", file=sys.stderr)
    else:
        yield Figure(f"{TILES:,} tiles to S3 / rclone copy", "s", first, statistics.median(rclones), 1.0)
    yield Figure(f"{TILES:,} tiles to S3 / boto3 one by one", "s", first, statistics.median(botos), 0.2)
    yield Figure("a second call with nothing to do / the first", "s", statistics.median(again), first, 0.05)


def large_pyramid(folder: Path) -> Path:
    """Write a tree of 5,461 tiles of about 40 kB, all of whose bytes differ, from one of 85 tiles."""
    few = make_pyramid(folder / "few")
    samples = [_small(path) for path in sorted((few / str(FEW_LEVELS)).rglob("*.png"))]
    tree = folder / "tree"
    number = 0
    for level in range(LEVELS + 1):
        for row in range(2**level):
            line = tree / str(level) / str(row)
            line.mkdir(parents=True)
            for column in range(2**level):
                # Bytes after a PNG's end are no part of the picture.
                (line / f"{row}_{column}.png").write_bytes(samples[number % len(samples)] + number.to_bytes(4, "big"))
                number += 1
    text = WTML.format(url="{1}/{3}/{3}_{2}.png").replace(f'TileLevels="{FEW_LEVELS}"', f'TileLevels="{LEVELS}"')
    (tree / "index_rel.wtml").write_text(text)
    return tree


def _small(path: Path) -> bytes:
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.quantize(64).save(stream, "png")
    return stream.getvalue()


def on_server(work) -> float:
    """Return the seconds that ``work(port)`` takes with a server of its own."""
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline())
            return seconds(lambda: work(port))
        finally:
            server.kill()


def upload(tree: Path) -> tuple[float, float]:
    """Return the seconds of a first call, and of a second one with nothing to do; both verify the tiles."""
    draft = cxw.ImageDraft.from_wtml(tree, autosave=False)
    taken: list[float] = []

    def both(port: int) -> None:
        options = {"endpoint": f"http://127.0.0.1:{port}"}
        keys = {"access_key_id": "id", "secret_access_key": "key"}
        for sent in (TILES + 2, 0):
            began = time.perf_counter()
            done = cxw.host(draft, "s3://bench/m51", options=options, credentials=keys)
            taken.append(time.perf_counter() - began)
            assert done.sent == sent

    on_server(both)
    return taken[0], taken[1]


def rclone(tree: Path, port: int) -> None:
    remote = f":s3,provider=Other,access_key_id=id,secret_access_key=key,endpoint='http://127.0.0.1:{port}':bench/m51"
    command = ["rclone", "--config", "/dev/null", "copy", str(tree), remote]
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def one_by_one(tree: Path, port: int) -> None:
    import boto3

    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys)
    for path in tree.rglob("*.*"):
        kind = "image/png" if path.suffix == ".png" else "application/x-wtml"
        key = f"m51/{path.relative_to(tree).as_posix()}"
        client.put_object(Bucket="bench", Key=key, Body=path.read_bytes(), ContentType=kind)
