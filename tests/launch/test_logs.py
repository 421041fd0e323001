"""What the servers themselves write of an error that came out of the application."""

import os
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import pytest

from portal.launch import processes, programs, servers
from portal.launch.setup import ROOT

CODE = """
from django.db import IntegrityError
from portal.{interface} import application as product

{head}
    raise IntegrityError("DETAIL:  Failing row contains (7, Ada Alm).")
"""
PARTS = {
    "wsgi": (programs.web, "def application(environ, start_response):"),
    "asgi": (programs.sockets, "async def application(scope, receive, send):"),
}


@pytest.mark.parametrize("interface", PARTS)
def test_the_class_and_the_place_and_not_the_row(interface, tmp_path):
    program, head = PARTS[interface]
    (tmp_path / "told.py").write_text(CODE.format(interface=interface, head=head))
    port = servers.free_port()
    command = [
        "told:application" if part == f"portal.{interface}:application" else part
        for part in program(host="127.0.0.1", port=port)
    ]
    told = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    log = tmp_path / "log" / "part.log"
    child = processes.start(interface, command, log=log, env=told, cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while "raised an exception" not in log.read_text() and "Exception in ASGI" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            with suppress(OSError, HTTPException):
                HTTPConnection("127.0.0.1", port, timeout=10).request("GET", "/")
            time.sleep(0.3)
    finally:
        processes.stop([child])
    said = log.read_text()
    assert not any(word in said for word in ("Ada", "Alm", "Failing row")), said
    assert "told.py" in said
    assert '"level": "ERROR"' in said
