"""Where make demo keeps its state, and what it says when it cannot start."""

import os
import socket
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError, connection, transaction

from portal.env import advice_on
from portal.launch import lending
from portal.launch.__main__ import environment, read_port, state_folder, state_of_the_code, take_lock
from portal.launch.processes import CannotStart
from portal.launch.servers import port_is_free
from portal.launch.setup import ROOT


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = environment(tmp_path, 8000)["SECRET_KEY"]
    assert environment(tmp_path, 8000)["SECRET_KEY"] == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_each_state_folder_has_secrets_of_its_own(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert environment(tmp_path / "one", 1)["SECRET_KEY"] != environment(tmp_path / "two", 1)["SECRET_KEY"]


def test_the_person_who_starts_it_has_the_last_word(tmp_path, monkeypatch):
    monkeypatch.setenv("LINK_KEY", "given")
    assert environment(tmp_path, 8000)["LINK_KEY"] == "given"


@pytest.mark.parametrize("port", ["abc", "80", "70000", "-1"])
def test_a_port_that_cannot_be_is_refused_in_one_line(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CannotStart, match="PORT must be a number"):
        read_port()


def test_a_state_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for var in (tmp_path / "file", tmp_path / "file" / "var", "/proc/var"):
        monkeypatch.setenv("VAR", str(var))
        with pytest.raises(CannotStart, match=r"cannot be written: .* Choose another with VAR"):
            state_folder()


def test_a_taken_port_is_seen():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not port_is_free(other.getsockname()[1])


def test_two_starts_do_not_share_one_state_folder(tmp_path):
    (tmp_path / "run").mkdir()
    with take_lock(tmp_path), pytest.raises(CannotStart, match="Already running"):
        take_lock(tmp_path)
    take_lock(tmp_path).close()


def test_another_database_is_brought_up_to_date_for_itself():
    assert state_of_the_code("embedded") != state_of_the_code("postgres://elsewhere/videotime")


def lent(var, monkeypatch):
    monkeypatch.setattr(os, "environ", {name: value for name, value in os.environ.items() if name not in lending.LENT})
    lending.lend({"SECRET_KEY": "of the demo", "DATABASE_URL": "postgres://demo", "HOME": "/somewhere"}, var / "run")


def test_manage_py_works_on_the_demo_that_runs_beside_it(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    lent(tmp_path, monkeypatch)
    with take_lock(tmp_path):
        assert lending.borrow(tmp_path)
    assert (os.environ["SECRET_KEY"], os.environ["DATABASE_URL"]) == ("of the demo", "postgres://demo")
    assert (tmp_path / "run" / lending.FILE).stat().st_mode & 0o777 == 0o600
    assert "/somewhere" not in (tmp_path / "run" / lending.FILE).read_text(), "no more than the product reads"


def test_a_demo_that_has_ended_or_was_killed_lends_nothing(tmp_path, monkeypatch):
    assert not lending.borrow(tmp_path), "it never ran"
    (tmp_path / "run").mkdir()
    take_lock(tmp_path).close()
    lent(tmp_path, monkeypatch)
    assert not lending.borrow(tmp_path), "it was killed"
    lending.take_back(tmp_path / "run")
    with take_lock(tmp_path):
        assert not lending.borrow(tmp_path), "it is on its way"
    assert "SECRET_KEY" not in os.environ


@pytest.mark.parametrize("given", ["SECRET_KEY", "DATABASE_URL_FILE", "REDIS_URL"])
def test_an_installation_with_surroundings_of_its_own_borrows_none(tmp_path, monkeypatch, given):
    (tmp_path / "run").mkdir()
    lent(tmp_path, monkeypatch)
    monkeypatch.setenv(given, "mine")
    with take_lock(tmp_path):
        assert not lending.borrow(tmp_path)
    assert "LINK_KEY" not in os.environ


def test_manage_py_says_in_one_line_what_it_lacks(tmp_path):
    told = {"PATH": os.environ["PATH"], "VAR": str(tmp_path)}
    command = [sys.executable, "manage.py", "create_api_key", "--user", "kari@kommune.test"]
    done = subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Set SECRET_KEY")
    assert done.stderr.count("\n") == 1


def test_manage_py_says_in_one_line_that_the_database_is_away(tmp_path):
    keys = dict.fromkeys(("SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "LINK_KEY"), Fernet.generate_key().decode())
    away = {"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0", "DEMO": "1"}
    told = {"PATH": os.environ["PATH"], "VAR": str(tmp_path), "PUBLIC_URL": "http://127.0.0.1:8000"} | keys | away
    command = [sys.executable, "manage.py", "create_api_key", "--user", "kari@kommune.test"]
    done = subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL leads to no database"), done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.django_db
def test_tables_that_are_not_there_are_said_to_be_so_and_no_other_fault_is_hidden():
    for asked, advice in [("nothing_like_it", "manage.py prepare"), ("pg_class WHERE 1 / 0 = 1", "")]:
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {asked}")
        assert advice in advice_on(caught.value)
        assert bool(advice) == bool(advice_on(caught.value))
