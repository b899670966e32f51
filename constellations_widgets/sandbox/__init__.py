"""Local server that behaves as WWT Constellations does, for tests, tutorials and trials; nothing leaves the machine.

It plays the server, so it shares no code with the package: the package's rules are stricter than the server's, and must
not hide their mistakes here.
"""

from __future__ import annotations

from ..errors import SandboxError, needs_computer, needs_extra

needs_computer(
    "The sandbox server",
    SandboxError,
    instead="Start it on a computer (constellations-widgets sandbox) and connect to it, or to an API: "
    "cxw.Constellations(address, token).",
)

with needs_extra("sandbox", "The sandbox", SandboxError):
    from .running import JoinedSandbox, environment_of, running_sandbox, sandbox_at
    from .server import Sandbox

__all__ = ["JoinedSandbox", "Sandbox", "environment_of", "running_sandbox", "sandbox_at"]
