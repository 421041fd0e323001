"""A real Kannel on loopback with its own `fake` SMSC, and a phone network of ten lines behind it."""

import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = made-up
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 1

group = smsc
smsc = fake
smsc-id = FAKE
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = "{folder}/smsbox.log"
log-level = 1

group = sendsms-user
username = videotime
password = made-up
max-messages = 6
concatenation = true
"""


@dataclass
class Phones:
    """Every phone there is: what came out of the gateway, line by line."""

    lines: list[bytes] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def listen(self, port: int) -> socket.socket:
        link = _connect(port)

        def read() -> None:
            with link.makefile("rb") as stream:
                for line in stream:
                    with self.news:
                        self.lines.append(line)
                        self.news.notify_all()

        threading.Thread(target=read, daemon=True).start()
        return link

    def wait_for(self, what: bytes, *, timeout: float = 15) -> bytes:
        """Return the first line that holds these bytes."""
        with self.news:
            assert self.news.wait_for(lambda: any(what in line for line in self.lines), timeout), self.lines
            return next(line for line in self.lines if what in line)


@dataclass
class Gateway:
    url: str
    phones: Phones


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _connect(port: int, *, timeout: float = 20) -> socket.socket:
    end = time.monotonic() + timeout
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def quoted(text: str, encoding: str) -> bytes:
    """Write bytes as the fake SMSC prints them."""
    return quote(text.encode(encoding), safe="").encode()


class Kannel:
    """Start bearerbox and smsbox; end both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Gateway:
        admin, smsbox, smsc, sendsms = free_ports(4)
        config = self.folder / "kannel.conf"
        config.write_text(CONFIG.format(folder=self.folder, admin=admin, smsbox=smsbox, smsc=smsc, sendsms=sendsms))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        self.bearerbox = subprocess.Popen(["/usr/sbin/bearerbox", str(config)], **quiet)
        _connect(smsbox).close()
        self.smsbox = subprocess.Popen(["/usr/sbin/smsbox", str(config)], **quiet)
        phones = Phones()
        self.link = phones.listen(smsc)
        _connect(sendsms).close()
        return Gateway(f"http://127.0.0.1:{sendsms}", phones)

    def __exit__(self, *fault: object) -> None:
        self.link.close()
        for box in (self.smsbox, self.bearerbox):
            box.terminate()
        for box in (self.smsbox, self.bearerbox):
            try:
                box.wait(timeout=5)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()
