"""A real S3 server (moto) whose answers fail: busy, cut off, forbidden."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hosting.servers import Place, make_bucket, s3_client, s3_reader

SLOW_DOWN = (
    b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
)
DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
WRONG_KEY = (
    b'<?xml version="1.0"?><Error><Code>InvalidAccessKeyId</Code><Message>The key does not exist</Message></Error>'
)

Fault = Callable[[int, str], str]
"""Gives what happens to the n-th PUT of a key, counted from 1: "" or the name of a fault."""


class FaultyApp:
    """WSGI application around another one, whose PUT requests fail as `fault` says."""

    def __init__(self, app: Any, fault: Fault):
        self.app, self.fault = app, fault
        self.puts: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        """How often each key was written."""
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        key = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "PUT" or "policy" in environ["QUERY_STRING"] or key.count("/") < 2:
            return self.app(environ, start_response)
        with self._lock:
            self.puts[key] += 1
            fault = self.fault(self.puts[key], key)
        if fault in ("slow down", "denied", "wrong key"):
            status, body = {
                "slow down": ("503 Slow Down", SLOW_DOWN),
                "denied": ("403 Forbidden", DENIED),
                "wrong key": ("403 Forbidden", WRONG_KEY),
            }[fault]
            start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        if fault == "cut before":
            return self._cut(environ)
        answer = list(self.app(environ, start_response))
        with self._lock:
            self.done[key] += 1
        return self._cut(environ) if fault == "cut after" else answer

    def _cut(self, environ: dict[str, Any]) -> list[bytes]:
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return [b""]


@contextmanager
def faulty_s3(fault: Fault) -> Iterator[tuple[Place, FaultyApp]]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = FaultyApp(DomainDispatcherApplication(create_backend_app), fault)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    endpoint, bucket = f"http://127.0.0.1:{server.server_port}", "faulty"
    client = s3_client(endpoint)
    make_bucket(client, bucket)
    extra = {
        "options": {"endpoint": endpoint},
        "credentials": {"access_key_id": "hidden-id", "secret_access_key": "hidden-key"},
    }
    try:
        yield Place(f"s3://{bucket}/m 51", None, s3_reader(client, bucket), extra), app
    finally:
        for each in client.list_objects_v2(Bucket=bucket).get("Contents", []):
            client.delete_object(Bucket=bucket, Key=each["Key"])
        client.delete_bucket(Bucket=bucket)
        server.shutdown()
