"""Clients over HTTP that cost little: they share the processors with the server that is measured.

A request is written out before anything is timed; one process serves all connections, each of which asks for its next
thing as soon as it has its answer. Python's own HTTP client took a quarter of the machine for itself.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

END_OF_HEAD: Final = b"\r\n\r\n"
UNCHANGED: Final = b"304"
ROOM: Final = 1 << 18
ONLY_FOUND: Final = "X-Only-Found"
"""A header that asks the booking page to find all that it would show, and stop there (benchmarks/urls.py)."""
WARMING: Final = 5
TURN: Final = 20


def written(method: str, path: str, body: str = "", *, headers: Mapping[str, str]) -> bytes:
    """Write a request out as HTTP/1.1."""
    content = body.encode()
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if method != "GET":
        head.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*head, "", ""]).encode() + content


class Client:
    """One connection, and the answer that is coming in on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self._wanted = 0

    def ask(self, request: bytes) -> None:
        self._got, self._wanted = b"", 0
        self.socket.sendall(request)

    def answer(self) -> int:
        """Read what has come; return the status once the answer is whole, else 0. Raises ConnectionError."""
        part = self.socket.recv(ROOM)
        if not part:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        self._got += part
        if not self._wanted:
            end = self._got.find(END_OF_HEAD)
            if end < 0:
                return 0
            self._wanted = end + len(END_OF_HEAD) + (0 if self._got[9:12] == UNCHANGED else _length(self._got[:end]))
        return int(self._got[9:12]) if len(self._got) >= self._wanted else 0

    def asked(self, request: bytes) -> int:
        """Ask, wait, and return the status."""
        self.ask(request)
        while not (status := self.answer()):
            pass
        return status


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without its length")


def in_turns(asked: Mapping[str, tuple[int, Iterator[bytes]]], *, turns: int) -> dict[str, list[float]]:
    """Return how long each answer took one client, in ms, by kind.

    Processors change their pace within seconds, so the kinds take short turns, each of which warms up first.
    """
    clients = {kind: Client(port) for kind, (port, _requests) in asked.items()}
    taken: dict[str, list[float]] = {kind: [] for kind in asked}
    for _turn in range(turns):
        for kind, (_port, requests) in asked.items():
            for number, request in enumerate(islice(requests, WARMING + TURN)):
                begin = time.perf_counter()
                clients[kind].asked(request)
                if number >= WARMING:
                    taken[kind].append((time.perf_counter() - begin) * 1000)
    for client in clients.values():
        client.socket.close()
    return taken


def together(port: int, requests: Iterator[bytes], *, clients: int, seconds: float) -> tuple[Counter[int], float]:
    """Let so many clients ask at once for so long; return the answers by status, and the seconds from first to last."""
    counts: Counter[int] = Counter()
    begin = time.perf_counter()
    end = begin + seconds
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            client = Client(port)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.ask(next(requests))
        while selector.get_map():
            for key, _events in selector.select():
                client = key.data
                status = client.answer()
                if not status:
                    continue
                counts[status] += 1
                following = next(requests, None) if time.perf_counter() < end else None
                if following is None:
                    selector.unregister(client.socket)
                    client.socket.close()
                else:
                    client.ask(following)
    return counts, time.perf_counter() - begin
