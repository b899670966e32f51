"""Free ports of this machine, for servers that take theirs as an argument."""

from __future__ import annotations

import random
import socket

PORTS = range(20_000, 32_000)
"""Below those that operating systems assign: an assigned port may go to a kernel before its server has started."""


def free_port() -> int:
    """Return a port that no program listens on, outside the range from which the system assigns ports."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port was found between {PORTS.start} and {PORTS.stop}")
