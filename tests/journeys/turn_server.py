"""A real TURN server (Debian's coturn) on loopback, with credentials of the REST kind."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

SECRET = "made-up-turn-secret"
PATIENCE = 10.0


class TurnServer:
    """Start coturn; end it. It writes nothing but its log, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"turn:127.0.0.1:{self.port}?transport=udp"

    def __enter__(self) -> Self:
        program = shutil.which("turnserver", path="/usr/bin:/usr/sbin:/usr/local/bin")
        assert program, "coturn is not installed"
        config = self.folder / "turnserver.conf"
        config.write_text(
            f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={self.port}\n"
            "min-port=49160\nmax-port=49260\nrealm=videotime.test\n"
            f"use-auth-secret\nstatic-auth-secret={SECRET}\n"
            "allow-loopback-peers\nno-cli\nno-tls\nno-dtls\nno-multicast-peers\n"
            f"log-file={self.folder}/turn.log\nsimple-log\npidfile={self.folder}/turn.pid\nuserdb={self.folder}/turn.db\n"
        )
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        self.process = subprocess.Popen([program, "-c", str(config)], **quiet)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()  # it listens on TCP too
            except OSError:
                assert self.process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)
            else:
                return self

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("turn*.log"))

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
