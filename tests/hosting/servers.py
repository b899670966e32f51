"""Real servers of others for files: S3 (moto), Azure (Azurite), WebDAV (WsgiDAV), SFTP (asyncssh), git; and a web server.

For Google Cloud Storage no registry has a server of the XML API that obstore uses (fake-gcs-server lacks its list of
objects): `gs_place` is moto's S3, whose requests and answers are the same, behind a translation of the one header that
differs.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import http.server
import json
import mimetypes
import re
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from npm_packages import installed

Answer = Callable[[http.server.BaseHTTPRequestHandler, str], bool]


@dataclass
class Place:
    """Somewhere to upload to, for `host`, and how to see what is there.

    Attributes
    ----------
    target, public_url : str
    extra : dict
        Further arguments of `host`.
    read : callable
        Path below the target → the bytes that are there; raises an error if there are none.
    """

    target: Any
    public_url: str | None
    read: Callable[[str], bytes]
    extra: dict[str, Any] = field(default_factory=dict)


@contextmanager
def served(read: Callable[[str], bytes], answer: Answer = lambda handler, path: False) -> Iterator[str]:
    """Serve what `read` gives for a path, with CORS, unless `answer` has answered the request itself; yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/")
            if answer(self, path):
                return
            try:
                content = read(path)
            except (OSError, subprocess.CalledProcessError):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", mimetypes.guess_type(path)[0] or "application/octet-stream")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def reader(folder: Path) -> Callable[[str], bytes]:
    return lambda path: (folder / path).read_bytes()


@contextmanager
def folder_place(folder: Path) -> Iterator[Place]:
    folder.mkdir()
    with served(reader(folder)) as url:
        yield Place(folder, url, reader(folder))


def s3_client(endpoint: str) -> Any:
    import boto3

    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "hidden-key"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


def make_bucket(client: Any, bucket: str, *, public: bool = True) -> None:
    client.create_bucket(Bucket=bucket)
    if public:
        every = f"arn:aws:s3:::{bucket}/*"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": every}
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def s3_reader(client: Any, bucket: str) -> Callable[[str], bytes]:
    return lambda path: client.get_object(Bucket=bucket, Key=f"m 51/{path}")["Body"].read()


@contextmanager
def s3_place(folder: Path, *, public: bool = True) -> Iterator[Place]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    bucket = f"images-{uuid.uuid4().hex}"  # moto keeps its buckets from one server of this process to the next
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = s3_client(endpoint)
    make_bucket(client, bucket, public=public)
    extra = {
        "options": {"endpoint": endpoint},
        "credentials": {"access_key_id": "id", "secret_access_key": "hidden-key"},
    }
    try:
        yield Place(f"s3://{bucket}/m 51", None, s3_reader(client, bucket), extra)
    finally:
        server.stop()


AZURITE = "azurite@3.35.0"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that Azurite's documentation gives to its account."""


@functools.cache
def azurite() -> str:
    """Start Azurite once for all tests of this process; return the address of its account."""
    node, folder = installed(AZURITE, "the emulator of Azure's storage")
    program = folder / "node_modules/azurite/dist/src/blob/main.js"
    command = [node, str(program), "--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    process = subprocess.Popen([*command, "--skipApiVersionCheck"], stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    for line in process.stdout:
        if found := re.search(r"successfully listens on (http://\S+)", line):
            return f"{found[1]}/devstoreaccount1"
    raise RuntimeError(f"Azurite did not start: {process.wait()}")


@contextmanager
def az_place(folder: Path, *, public: bool = True) -> Iterator[Place]:
    from azure.storage.blob import BlobServiceClient, CorsRule

    endpoint = azurite()
    service = BlobServiceClient(endpoint, credential={"account_name": "devstoreaccount1", "account_key": AZURITE_KEY})
    rule = CorsRule(["*"], ["GET", "HEAD"], allowed_headers=["*"], exposed_headers=["*"], max_age_in_seconds=60)
    service.set_service_properties(cors=[rule])
    container = service.create_container(f"images-{uuid.uuid4().hex}", public_access="blob" if public else None)
    extra = {
        "options": {"endpoint": endpoint, "account_name": "devstoreaccount1"},
        "credentials": {"account_key": AZURITE_KEY},
    }
    yield Place(
        f"az://{container.container_name}/m 51",
        None,
        lambda path: container.download_blob(f"m 51/{path}").readall(),
        extra,
    )


class CloudStorageHeaders:
    """WSGI application that turns requests for Google Cloud Storage into such for S3.

    Its precondition has another name, and obstore escapes more characters of an address than moto decodes.
    """

    def __init__(self, app: Any):
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None) == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        if "HTTP_AUTHORIZATION" in environ:  # of obstore, or of boto3, which made the bucket
            environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request"
        for name in ("RAW_URI", "REQUEST_URI"):
            path, mark, query = environ[name].partition("?")
            environ[name] = quote(unquote(path)) + mark + query
        return self.app(environ, start_response)


@contextmanager
def gs_place(folder: Path) -> Iterator[Place]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = CloudStorageHeaders(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    endpoint, bucket = f"http://127.0.0.1:{server.server_port}", f"images-{uuid.uuid4().hex}"
    client = s3_client(endpoint)
    make_bucket(client, bucket)
    account = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "", "private_key": ""}
    extra = {
        "options": {"base_url": endpoint},
        "credentials": {"service_account_key": json.dumps(account | {"private_key_id": "hidden-key"})},
    }
    try:
        yield Place(f"gs://{bucket}/m 51", None, s3_reader(client, bucket), extra)
    finally:
        server.shutdown()


@contextmanager
def webdav_place(folder: Path) -> Iterator[Place]:
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    folder.mkdir()
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(folder)},
            "simple_dc": {"user_mapping": {"*": {"me": {"password": "hidden-key"}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    server = wsgi.Server(("127.0.0.1", 0), app)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        with served(reader(folder / "m 51")) as url:
            port = server.bind_addr[1]
            yield Place(
                f"webdav://me@127.0.0.1:{port}/m%2051",
                url,
                reader(folder / "m 51"),
                {"credentials": {"password": "hidden-key"}},
            )
    finally:
        server.stop()


@contextmanager
def sftp_place(folder: Path) -> Iterator[Place]:
    import asyncssh

    folder.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: set[Any] = set()
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    class Guard(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            connections.add(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("me", "hidden-key")

    async def serve() -> None:
        files = functools.partial(asyncssh.SFTPServer, chroot=str(folder))
        server = await asyncssh.create_server(Guard, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=files)
        ended = asyncio.Event()
        started.set_result((server.get_port(), asyncio.get_running_loop(), ended))
        await ended.wait()
        server.close()
        for connection in connections:
            connection.abort()
        await asyncio.gather(server.wait_closed(), *(each.wait_closed() for each in connections))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    port, loop, ended = started.result(30)
    known_hosts = folder.with_name("known_hosts")
    known_hosts.write_bytes(f"[127.0.0.1]:{port} ".encode() + key.export_public_key())
    try:
        with served(reader(folder / "m 51")) as url:
            yield Place(
                f"sftp://me@127.0.0.1:{port}/m%2051",
                url,
                reader(folder / "m 51"),
                {"credentials": {"password": "hidden-key"}, "options": {"known_hosts": str(known_hosts)}},
            )
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


@contextmanager
def git_place(folder: Path) -> Iterator[Place]:
    """A checkout whose origin is a bare repository; a web server shows what was pushed, as GitHub Pages does."""
    folder.mkdir()
    bare, checkout = folder / "site.git", folder / "checkout"

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout

    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git("init", "--quiet", "--initial-branch=main", str(checkout))
    for name, value in (("user.name", "Me"), ("user.email", "me@example.org"), ("commit.gpgsign", "false")):
        git("-C", str(checkout), "config", name, value)
    git("-C", str(checkout), "remote", "add", "origin", str(bare))

    def read(path: str) -> bytes:
        return git("-C", str(bare), "show", f"main:m51/{path}")

    with served(read) as url:
        yield Place(f"git://{checkout}/m51", url, read)


PLACES: dict[str, Any] = {
    "folder": folder_place,
    "s3": s3_place,
    "gs": gs_place,
    "az": az_place,
    "webdav": webdav_place,
    "sftp": sftp_place,
    "git": git_place,
}
