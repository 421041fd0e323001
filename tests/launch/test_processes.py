"""What was started ends with the one who started it, and nothing else does."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from portal.launch import processes

# Tells that it is there, then sleeps; SIGTERM does not impress it.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""

LAUNCHER = """
import sys, time
from pathlib import Path
from portal.launch import processes
child = processes.start("child", [sys.executable, "-c", "import time; time.sleep(60)"], log=Path(sys.argv[1]))
print(child.process.pid, flush=True)
time.sleep(60)
"""


def wait_for(condition, patience=10.0):
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture
def stubborn(tmp_path):
    child = processes.start("stubborn", [sys.executable, "-c", STUBBORN], log=tmp_path / "stubborn.log")
    grandchild = psutil.Process(int(wait_for(child.last_words)))
    yield child, grandchild
    processes.stop([child], grace=0)


def test_a_program_that_does_not_listen_is_ended_with_its_children(stubborn):
    child, grandchild = stubborn
    processes.stop([child], grace=0.2)
    assert child.process.returncode == -signal.SIGKILL
    wait_for(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


def test_what_a_killed_start_left_is_found_and_ended(stubborn, tmp_path):
    child, _ = stubborn
    processes.record(child, tmp_path / "run")
    assert processes.end_leftovers(tmp_path / "run", grace=0.2) == ["stubborn"]
    assert child.ended()
    assert not list((tmp_path / "run").glob("*.pid"))


def test_another_program_with_the_same_number_is_left_alone(stubborn, tmp_path):
    child, _ = stubborn
    earlier = {"pid": child.process.pid, "born": time.time() - 3600, "stop_signal": int(signal.SIGKILL)}
    (tmp_path / "web.pid").write_text(json.dumps(earlier))
    assert processes.end_leftovers(tmp_path) == []
    assert not child.ended()


def test_a_note_that_was_written_half_stops_nobody(tmp_path):
    (tmp_path / "web.pid").write_text('{"pid": 1')
    assert processes.end_leftovers(tmp_path) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children that their parent died")
def test_children_end_when_their_launcher_is_killed(tmp_path):
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, tmp_path / "child.log"], stdout=subprocess.PIPE)
    child = psutil.Process(int(launcher.stdout.readline()))
    wait_for(lambda: "setpriv" not in child.name())
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
