"""A real kernel without a page, and what a notebook says to it."""

from __future__ import annotations

import json
from typing import Any

from jupyter_client import KernelManager


class Kernel:
    """A real kernel; its cells are run to their end."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.closed: set[str] = set()

    def run(self, code: str, cell: str | None = None, expression: str = "None") -> Any:
        """Run a cell; gives the value of an expression after it."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {"it": f"__import__('json').dumps({expression})"},
                   "allow_stdin": False, "stop_on_error": True}  # fmt: skip
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        while (reply := self.client.get_shell_msg(timeout=120))["parent_header"].get("msg_id") != message["header"][
            "msg_id"
        ]:
            pass
        assert reply["content"]["status"] == "ok", reply["content"]
        answer = reply["content"]["user_expressions"]["it"]
        assert answer["status"] == "ok", answer
        while (heard := self.client.get_iopub_msg(timeout=120))["content"].get("execution_state") != "idle" or heard[
            "parent_header"
        ].get("msg_id") != message["header"]["msg_id"]:
            if heard["msg_type"] == "comm_close":
                self.closed.add(heard["content"]["comm_id"])
        return json.loads(answer["data"]["text/plain"].strip("'"))

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
