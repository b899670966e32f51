"""Parse a multipart upload of the Images API, whose part `file` goes straight to disk."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

__all__ = ["BadUploadError", "Upload", "read_upload"]

_AT_ONCE = 1 << 20  # bytes that are gathered before they are parsed and written, in a worker thread


class BadUploadError(Exception):
    """Form that the API does not accept."""


@dataclass(frozen=True)
class Upload:
    """Uploaded file: its name as sent by the client, its type, and the number of bytes written."""

    filename: str
    content_type: str
    size: int


async def read_upload(request: Request, path: Path) -> Upload:
    """Write the part named `file` to `path`. A refused body is read to its end, too.

    Raises
    ------
    BadUploadError
        If it is no multipart form, or has no such part, no file name, or no bytes.
    ClientDisconnect
        If the body ends before its time.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary") if kind == b"multipart/form-data" else None
    fault: BadUploadError | None = None if boundary else BadUploadError("the body is no multipart form")
    with path.open("wb") as file:
        form = _Form(boundary or b"-", file)
        waiting: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            if fault is not None:
                continue
            waiting.append(chunk)
            size += len(chunk)
            if size >= _AT_ONCE or not chunk:
                fault = await asyncio.to_thread(form.take, b"".join(waiting))
                waiting, size = [], 0
    if fault is not None:
        raise fault
    return form.upload()


class _Form:
    """Handler of the multipart parser's events for one form."""

    def __init__(self, boundary: bytes, file: BinaryIO):
        self._file = file
        self._header: list[bytes] = [b"", b""]
        self._headers: dict[bytes, bytes] = {}
        self._wanted = False
        self._size = 0
        self._found: tuple[str, str] | None = None
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def take(self, content: bytes) -> BadUploadError | None:
        """Parse a part of the body; return the fault, if there is one."""
        try:
            self._parser.write(content)
        except FormParserError:
            return BadUploadError("the multipart form can't be read")
        return None

    def upload(self) -> Upload:
        """Return the uploaded file; raise BadUploadError if the form has none."""
        if not self._ended:
            raise BadUploadError("the multipart form has no end")
        if self._found is None:
            raise BadUploadError("the form has no part named file")
        filename, content_type = self._found
        if not filename.strip():
            raise BadUploadError("the file has no name")
        if not self._size:
            raise BadUploadError("the file is empty")
        return Upload(filename, content_type, self._size)

    def _part_begins(self) -> None:
        self._headers, self._wanted = {}, False

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = [b"", b""]

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if options.get(b"name") == b"file" and b"filename" in options and self._found is None:
            # Browsers and curl write these as %22, %0D and %0A inside the quotation marks.
            sent = re.sub(b"%(22|0D|0A)", lambda it: bytes.fromhex(it[1].decode()), options[b"filename"])
            kind = self._headers.get(b"content-type", b"application/octet-stream")
            self._found = (sent.decode("utf-8", "replace"), kind.decode("latin-1"))
            self._wanted = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._size += end - start
            self._file.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self._ended = True
