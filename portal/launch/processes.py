"""Starting and ending child processes so that none of them outlives the one who started it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE = 8.0  # seconds between the request to stop and the end by force


class CannotStart(Exception):
    """The reason, in one line for the person at the terminal."""


@dataclass
class Child:
    """A process that we started, in a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def ended(self) -> bool:
        return self.process.poll() is not None

    def last_words(self, lines: int = 15) -> str:
        """What the process last wrote in its log, for the person who must find out why it ended."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def has_said(self, words: str) -> bool:
        """Say whether the process wrote these words since it was started, however much it wrote after them."""
        return words in self.log.read_text(errors="replace")

    def obituary(self) -> str:
        """One line about its end, and what it said before."""
        words = self.last_words()
        return f"{self.name} ended (code {self.process.returncode}). " + (
            f"Its last words:\n{words}" if words else f"It said nothing; see {self.log}"
        )


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    privileges: Sequence[str] = (),
) -> Child:
    """Start a program; Linux stops it when this process dies without a chance to do so (kill -9).

    To be called from the main thread: Linux counts the death of the thread that started the child.
    The privileges are options of setpriv, given in one call with that: a later change of user would undo it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_dies_with_us(stop_signal, privileges), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    return Child(name, process, log, stop_signal)


def stop(children: Iterable[Child], *, grace: float = GRACE) -> None:
    """Ask all of them to stop, wait, then end by force what is left of their groups."""
    children = list(children)
    for child in children:
        if not child.ended():
            child.process.send_signal(child.stop_signal)
    deadline = time.monotonic() + grace
    with suppress(KeyboardInterrupt):  # asked twice: no more patience
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()


def record(child: Child, folder: Path) -> None:
    """Note the process, so that a later start finds it if this one is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(psutil.NoSuchProcess):
        born = psutil.Process(child.process.pid).create_time()
        note = {"pid": child.process.pid, "born": born, "stop_signal": int(child.stop_signal)}
        (folder / f"{child.name}.pid").write_text(json.dumps(note))


def forget(children: Iterable[Child], folder: Path) -> None:
    for child in children:
        (folder / f"{child.name}.pid").unlink(missing_ok=True)


def end_leftovers(folder: Path, *, grace: float = GRACE) -> list[str]:
    """End what an earlier start left running, and only that: number and time of birth must both agree."""
    ended = []
    for note in sorted(folder.glob("*.pid")):
        with suppress(ValueError, KeyError, psutil.Error):
            told = json.loads(note.read_text())
            process = psutil.Process(told["pid"])
            if abs(process.create_time() - told["born"]) < 1:
                end(process, signal.Signals(told["stop_signal"]), grace=grace)
                ended.append(note.stem)
        note.unlink(missing_ok=True)
    return ended


def end(process: psutil.Process, stop_signal: signal.Signals = signal.SIGTERM, *, grace: float = GRACE) -> None:
    """End a process that is not a child of ours, with its descendants."""
    family = [process, *process.children(recursive=True)]
    with suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
    _, alive = psutil.wait_procs(family, timeout=grace)
    for survivor in alive:
        with suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(alive, timeout=grace)


def _dies_with_us(stop_signal: signal.Signals, privileges: Sequence[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    return [setpriv, f"--pdeathsig={stop_signal.name.removeprefix('SIG')}", *privileges]
