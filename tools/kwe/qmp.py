"""QEMU's monitor, by qemu.qmp, for callers that are not asynchronous."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping

from qemu.qmp import ExecuteError, QMPClient, QMPError

from tools.kwe.errors import MachineError


class Monitor:
    """One QMP connection with a loop of its own, which runs only inside the calls."""

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = QMPClient("kwe")
        self._loop.run_until_complete(self._client.connect(connection))

    def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> object:
        """Run one command and return its answer.

        Raises:
            MachineError: QEMU refuses it, or has gone.
        """
        try:
            return self._loop.run_until_complete(
                asyncio.wait_for(self._client.execute(command, arguments), timeout=10)
            )
        except (ExecuteError, QMPError, EOFError, TimeoutError, OSError) as error:
            raise MachineError(f"QMP {command}: {error}") from error

    def wait_event(self, name: str, timeout_s: float) -> Mapping[str, object]:
        """Return the next event of that name.

        Raises:
            MachineError: It does not come in time.
        """

        async def next_event() -> Mapping[str, object]:
            with self._client.listener(name) as listener:
                return dict(await listener.get())

        try:
            return self._loop.run_until_complete(asyncio.wait_for(next_event(), timeout_s))
        except TimeoutError as error:
            raise MachineError(f"QMP: no event {name} in {timeout_s:g} s") from error

    def close(self) -> None:
        """Leave; QEMU may have gone already."""
        with contextlib.suppress(QMPError, EOFError, OSError):
            self._loop.run_until_complete(self._client.disconnect())
        self._loop.close()
