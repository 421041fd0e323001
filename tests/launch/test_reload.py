"""The web part takes in new code while it answers."""

import os
import signal
import threading
import time
from collections import Counter
from http.client import HTTPConnection

import pytest

from portal.launch import processes, programs, servers
from portal.launch.setup import ROOT

CODE = """
from portal.wsgi import application as product

def application(environ, start_response):
    return product(environ, lambda status, headers: start_response(status, [*headers, ("X-Code", "{version}")]))
"""


def asked(port):
    """Ask on a connection of its own, as the proxy does; return the code that answered, or what went wrong.

    Cut off is another thing than refused: the connection stood, and the worker that had it went away.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.headers["X-Code"] if answer.status == 200 else str(answer.status)
    except ConnectionResetError:
        return "cut off"
    except OSError as fault:
        return type(fault).__name__
    finally:
        connection.close()


def until(said, port, patience=60):
    deadline = time.monotonic() + patience
    while asked(port) != said:
        assert time.monotonic() < deadline, f"nobody answered {said}"
        time.sleep(0.1)


@pytest.fixture
def web(tmp_path):
    """The web part with the fewest workers there can be, around a module of its own that says which code it is."""
    (tmp_path / "told.py").write_text(CODE.format(version="old"))
    port = servers.free_port()
    command = [
        "told:application" if part == "portal.wsgi:application" else part
        for part in programs.web(host="127.0.0.1", port=port)
    ]
    told = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    child = processes.start("web", command, log=tmp_path / "log" / "web.log", env=told, cwd=ROOT)
    yield child, port, tmp_path / "told.py"
    processes.stop([child])


def test_a_sighup_takes_in_new_code_and_nobody_is_refused(web):
    child, port, code = web
    until("old", port)
    answers, stop = Counter(), threading.Event()

    def go_on_asking():
        while not stop.wait(0.02):
            answers[asked(port)] += 1

    clients = [threading.Thread(target=go_on_asking) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        code.write_text(CODE.format(version="another"))
        child.process.send_signal(signal.SIGHUP)
        until("another", port)
        deadline = time.monotonic() + 60
        before = -1
        while answers["old"] != before:
            assert time.monotonic() < deadline, "the old worker goes on"
            before = answers["old"]
            time.sleep(2)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert answers["old"] > 50
    assert answers["another"] > 10
    # What waits in the old worker's queue as it stops goes with it, unless net.ipv4.tcp_migrate_req is on.
    assert answers.pop("cut off", 0) <= len(clients)
    assert set(answers) == {"old", "another"}, answers
