"""An Images API that throws every upload away and says yes: what remains is the client's own time."""

from __future__ import annotations

import socket
import threading

LIST = b'{"images": []}'
MADE = b'{"uuid": "1", "filename": "large.png"}'


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def serve(connection: socket.socket) -> None:
    room = bytearray(1 << 20)
    got = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in got:
                if not (part := connection.recv(65536)):
                    return
                got += part
            head, _, body = got.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            left = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0) - len(body)
            while left > 0:
                read = connection.recv_into(room, min(left, len(room)))
                if not read:
                    return
                left -= read
            status, content = ("201 Created", MADE) if lines[0].startswith(b"post") else ("200 OK", LIST)
            answer = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            connection.sendall(answer.encode() + content)
            got = b""


if __name__ == "__main__":
    main()
