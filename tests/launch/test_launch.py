"""Where make demo keeps its state, and what it says when it cannot start."""

import socket

import pytest

from portal.launch.__main__ import environment, read_port, state_of_the_code, take_lock
from portal.launch.processes import CannotStart
from portal.launch.servers import port_is_free


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
