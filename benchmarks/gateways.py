"""An SMS gateway and a mail server that take everything at once: what is left is what the product itself costs.

They speak as much of Kannel's smsbox (HTTP) and of SMTP (RFC 5321) as the carriers do, in a process of their own, and
keep the key of each message that came in.
"""

import asyncio
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

TAKEN: Final = b"0: Accepted for delivery"
KEY_IN_ADDRESS: Final = re.compile(rb"%3Fid%3D([0-9a-f-]{36})")
KEY_IN_MAIL: Final = re.compile(rb"^Message-ID: <([0-9a-f-]{36})@", re.MULTILINE)


@dataclass(frozen=True)
class Gateways:
    """Where they listen, and what came in since it was last asked."""

    kannel: int
    smtp: int
    _line: Connection

    def came_in(self) -> list[str]:
        self._line.send("what came in?")
        keys: list[str] = self._line.recv()
        return keys


@contextmanager
def gateways() -> Iterator[Gateways]:
    """Run both until the block ends."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=lambda: asyncio.run(_serve(theirs)), daemon=True)
    process.start()
    try:
        kannel, smtp = ours.recv()
        yield Gateways(kannel, smtp, ours)
    finally:
        process.terminate()
        process.join()


async def _serve(line: Connection) -> None:
    keys: list[str] = []

    def note(found: re.Match[bytes] | None) -> None:
        keys.append(found[1].decode() if found else "a message without a key")

    async def kannel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                note(KEY_IN_ADDRESS.search(await reader.readuntil(b"\r\n\r\n")))
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%b" % (len(TAKEN), TAKEN))
        writer.close()

    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            writer.write(b"220 mail.example ESMTP\r\n")
            while True:
                said = (await reader.readuntil(b"\r\n"))[:4].upper()
                if said == b"EHLO":
                    writer.write(b"250-mail.example\r\n250 8BITMIME\r\n")
                elif said == b"DATA":
                    writer.write(b"354 Go on\r\n")
                    note(KEY_IN_MAIL.search((await reader.readuntil(b"\r\n.\r\n")).replace(b"\r\n", b"\n")))
                    writer.write(b"250 Taken\r\n")
                elif said == b"QUIT":
                    writer.write(b"221 Bye\r\n")
                    break
                else:
                    writer.write(b"250 OK\r\n")
        writer.close()

    def tell() -> None:
        with suppress(EOFError):
            line.recv()
            line.send(keys)
            keys.clear()

    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in (kannel, smtp)]
    asyncio.get_running_loop().add_reader(line.fileno(), tell)
    line.send([server.sockets[0].getsockname()[1] for server in servers])
    await asyncio.Event().wait()
