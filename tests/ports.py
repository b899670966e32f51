"""Ports of this machine for servers that are told theirs."""

from __future__ import annotations

import random
import socket

PORTS = range(20_000, 32_000)
"""Below those that systems hand out: a port of the system's choice may be taken by a kernel before its server has started."""


def free_port() -> int:
    """Return a port that nothing listens on, and that the system gives to nobody who does not name it."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port was found between {PORTS.start} and {PORTS.stop}")
