"""A TCP proxy on loopback that fails on command, to stand between a client and what plays AWS, Bedrock or PostgreSQL.

with FaultProxy(emulator.url) as proxy:
    client = make_client(endpoint_url=proxy.url)
    with proxy.failing(Fault(status=503)):
        ...
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CHUNK = 65_536
COMMAND_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong; by default nothing. It holds for open connections too, from the moment it is set."""

    delay_seconds: float = 0.0  # every piece of data waits so long, in both directions
    bytes_per_second: float = 0.0  # no faster than this, in both directions; 0 means unlimited
    status: int = 0  # every HTTP request gets this status at once and never reaches the server
    body: bytes = b""  # what comes with the status
    is_black_hole: bool = False  # connections are accepted, and then nothing ever happens
    cut_after_bytes: int = -1  # the connection is reset after so many bytes of what the server sends; 0 resets at once
    is_refusing: bool = False  # nobody listens, and open connections are reset


NO_FAULT = Fault()


class FaultProxy:
    """The proxy; `url` and `port` are where to connect, `connections` counts those taken. Use it in a `with` statement."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is a URL (http://127.0.0.1:4566, postgres://...), of which only host and port matter."""
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.connections = 0
        self.port = 0
        self._fault = NO_FAULT
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="fault-proxy")

    @property
    def url(self) -> str:
        """The proxy's address, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def fault(self) -> Fault:
        """What goes wrong now; assign another to change it at once."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._do(self._change(fault))

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """The fault, inside the `with` statement only."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = NO_FAULT

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(COMMAND_SECONDS)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(COMMAND_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _change(self, fault: Fault) -> None:
        self._fault = fault
        if fault.is_refusing or fault.cut_after_bytes == 0:
            self._reset_all()
        if fault.is_refusing and self._server is not None:
            self._server.close()
            self._server = None
        elif not fault.is_refusing and self._server is None:
            await self._listen()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        self._reset_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _reset_all(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            if self._fault.cut_after_bytes == 0:
                _reset(writer)
            else:
                await self._relay(reader, writer)
        except (OSError, EOFError, ValueError):
            pass  # one side has gone; so goes the other
        finally:
            self._open.discard(writer)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._upstream)
        self._open.add(server_writer)
        ways = [
            asyncio.ensure_future(self._send_requests(reader, server_writer, writer)),
            asyncio.ensure_future(self._send_replies(server_reader, writer)),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open.discard(server_writer)
            server_writer.close()

    async def _send_requests(
        self, client: asyncio.StreamReader, server: asyncio.StreamWriter, answer_to: asyncio.StreamWriter
    ) -> None:
        while data := await client.read(CHUNK):
            if self._fault.status:
                await _finish_reading(client, data)
                await _answer(answer_to, self._fault)
                return
            await self._pass_on(data, server)

    async def _send_replies(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await server.read(CHUNK):
            limit = self._fault.cut_after_bytes
            if 0 <= limit <= sent + len(data):
                await self._pass_on(data[: max(0, limit - sent)], client)
                _reset(client)
                return
            await self._pass_on(data, client)
            sent += len(data)

    async def _pass_on(self, data: bytes, to: asyncio.StreamWriter) -> None:
        """Sends data on as the fault of this moment has it."""
        fault = self._fault
        if fault.is_black_hole:
            return
        await asyncio.sleep(fault.delay_seconds)
        step = max(1, int(fault.bytes_per_second / 20)) if fault.bytes_per_second else len(data) or 1
        for start in range(0, len(data), step):
            to.write(data[start : start + step])
            await to.drain()
            if fault.bytes_per_second:
                await asyncio.sleep(step / fault.bytes_per_second)


async def _finish_reading(client: asyncio.StreamReader, data: bytes) -> None:
    """Reads the rest of an HTTP request: a reply before its end would reach many clients as a broken pipe."""
    while b"\r\n\r\n" not in data:
        data += await client.readexactly(1)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    await client.readexactly(max(0, length - len(body)))


async def _answer(client: asyncio.StreamWriter, fault: Fault) -> None:
    head = f"HTTP/1.1 {fault.status} Fault\r\nContent-Length: {len(fault.body)}\r\nConnection: close\r\n\r\n"
    client.write(head.encode() + fault.body)
    await client.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection as a crashed peer does, without a farewell."""
    with suppress(OSError):
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
