"""A production that is half set up does not start, and says why: one line for each fault."""

import os
import subprocess
import sys
import time

import psycopg
import pytest
import yaml
from django.db import connection

from portal.celery import app
from portal.launch import serve
from portal.launch.setup import ROOT

KEYS = {
    "SECRET_KEY": "vM0rZ3u1kq9x7Yt5c2Wb8Ns4Lp6Jh1Gf3Dd5Sa7Qw9Er0Ty2Ui4",
    "FIELD_KEYS": "ZmllbGQta2V5LWZvci10aGUtdGVzdHMtMzItYnl0ZXM=",
    "INDEX_KEY": "aW5kZXgta2V5LWZvci10aGUtdGVzdHMtMzItYnl0ZXM=",
    "LINK_KEY": "bGluay1rZXktZm9yLXRoZS10ZXN0cy1vZi0zMi1ieXQ=",
}
COMPLETE = KEYS | {
    "DATABASE_URL": "postgres://videotime:secret@database/videotime",
    "REDIS_URL": "redis://valkey/0",
    "PUBLIC_URL": "https://video.kommune.test",
    "ALLOWED_HOSTS": "video.kommune.test",
    "TRUSTED_PROXY_COUNT": "1",
    "EMAIL_HOST": "mail.kommune.test",
    "EMAIL_USE_TLS": "1",
    "DEFAULT_FROM_EMAIL": "video@kommune.test",
    "SMS_CARRIERS": "kannel",
    "KANNEL_URL": "http://kannel:13013",
    "KANNEL_USERNAME": "videotime",
    "KANNEL_PASSWORD": "secret",
    "RECEIPT_SECRET": "also-secret-and-long-enough",
    "TURN_URLS": "turn:turn.kommune.test:3478",
    "TURN_SECRET": "secret",
}


def check(environment, part="check"):
    told = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "HOME"}} | environment
    command = [sys.executable, "-m", "portal.launch.serve", part]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False)


def test_a_complete_set_up_passes():
    done = check(COMPLETE)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_set_names_every_fault_at_once_in_a_line_each():
    done = check({})
    assert done.returncode == 1
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FIELD_KEYS", "INDEX_KEY", "LINK_KEY", "PUBLIC_URL"):
        assert any(line.startswith(name) for line in done.stderr.splitlines()), name
    for name in ("ALLOWED_HOSTS", "EMAIL_HOST", "SMS_CARRIERS", "TURN_URLS"):
        assert any(line.startswith(name) for line in done.stderr.splitlines()), name
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"DEBUG": "1"}, "DEBUG must be 0"),
        ({"TRUSTED_PROXY_COUNT": "many"}, "TRUSTED_PROXY_COUNT must be a whole number"),
        ({"DEMO": "1"}, "DEMO=1 is for one machine"),
        ({"PUBLIC_URL": "https://[video"}, "PUBLIC_URL is no address that can be read"),
        ({"SOCKETS_URL": "wss://video:many"}, "SOCKETS_URL is no address that can be read"),
        ({"REDIS_URL": "redis://valkey:many/0"}, "REDIS_URL is no address that can be read"),
        ({"DATABASE_URL": "postgres://videotime@database:many/videotime"}, "DATABASE_URL must look like"),
        ({"DATABASE_URL": "postgres://videotime@database/videotime?colour=red"}, "must be a setting of libpq"),
        ({"TRUSTED_PROXY_COUNT": "-1"}, "TRUSTED_PROXY_COUNT must be 0 or more"),
        ({"EMAIL_PORT": "99999"}, "EMAIL_PORT must be 1 to 65535"),
        ({"DAILY_SMS_CAP": "0"}, "DAILY_SMS_CAP must be 1 or more"),
        ({"STAFF_IDLE_MINUTES": "0"}, "STAFF_IDLE_MINUTES must be 1 or more"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of"),
        ({"SMS_CARRIERS": "pigeon"}, "SMS_CARRIERS names pigeon"),
    ],
)
def test_a_fault_stops_the_start_with_its_line(change, fault):
    done = check(COMPLETE | change)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert fault in done.stderr
    assert "1 fault in the set-up" in done.stderr


def test_a_secret_that_is_left_empty_comes_from_its_file(tmp_path):
    files = {f"{name}_FILE": tmp_path / name for name in KEYS}
    for name, key in KEYS.items():
        (tmp_path / name).write_text(f"{key}\n")
    done = check(COMPLETE | dict.fromkeys(KEYS, "") | {name: str(path) for name, path in files.items()})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pages_do_not_start_without_their_files(tmp_path):
    done = check(COMPLETE | {"STATIC_ROOT": str(tmp_path)}, part="web")
    assert done.returncode == 1
    assert "STATIC_ROOT holds no static files" in done.stderr
    assert "1 fault in the set-up" in done.stderr


@pytest.mark.parametrize("part", ["web", "sockets", "worker", "beat"])
def test_no_part_of_every_day_starts_with_the_owners_address(part, tmp_path):
    (tmp_path / "staticfiles.json").touch()
    owner = {"OWNER_DATABASE_URL": "postgres://owner@database/videotime", "STATIC_ROOT": str(tmp_path)}
    done = check(COMPLETE | owner, part=part)
    assert done.returncode == 1
    assert done.stderr.startswith(f"OWNER_DATABASE_URL is for prepare alone: take it away from {part}.")


def test_a_log_level_may_be_written_small():
    assert check(COMPLETE | {"LOG_LEVEL": "info"}).stderr == ""


@pytest.mark.parametrize("name", ["PORT", "WORKERS", "THREADS"])
def test_a_number_that_is_none_stops_the_web_part_with_its_line(name, tmp_path):
    (tmp_path / "staticfiles.json").touch()
    done = check(COMPLETE | {"STATIC_ROOT": str(tmp_path), name: "many"}, part="web")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{name} must be a whole number.\nNot started")


@pytest.mark.parametrize(
    ("owner", "fault"),
    [
        ({}, "DATABASE_URL leads to no database"),
        ({"OWNER_DATABASE_URL": "postgres://owner@127.0.0.1:9/none"}, "OWNER_DATABASE_URL leads to no database"),
        ({"OWNER_DATABASE_URL": "mysql://owner@127.0.0.1/none"}, "OWNER_DATABASE_URL must look like"),
    ],
)
def test_what_cannot_be_prepared_is_said_in_one_line(owner, fault):
    done = check(COMPLETE | {"DATABASE_URL": "postgres://videotime@127.0.0.1:9/none"} | owner, part="prepare")
    assert done.returncode == 1
    assert fault in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def bare_database():
    """An empty database, by its owner's address and by that of a role that is not there yet."""
    told, name = connection.settings_dict, f"prepared_{os.getpid()}"
    host = f"localhost:{told['PORT'] or 5432}/{name}?host={told['HOST'] or 'localhost'}"
    conninfo = {"host": told["HOST"], "port": told["PORT"], "user": told["USER"], "password": told["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **conninfo) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"postgres://{told['USER']}:{told['PASSWORD']}@{host}", f"postgres://{name}@{host}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.execute(f"DROP ROLE IF EXISTS {name}")


def test_prepare_lets_the_role_of_every_day_into_what_the_owner_made(bare_database):
    owner, everyday = bare_database
    told = COMPLETE | {"OWNER_DATABASE_URL": owner, "DATABASE_URL": everyday, "DATABASE_PASSWORD": "every $ day@:/2"}
    done = check(told, part="prepare")
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(everyday, password=told["DATABASE_PASSWORD"], autocommit=True) as hers:
        assert hers.execute("SELECT count(*) > 30 FROM catalogue_scenario").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            hers.execute("DROP TABLE catalogue_scenario CASCADE")


@pytest.mark.parametrize(("age", "code"), [(0, 0), (170, 0), (190, 1), (None, 1)])
def test_a_worker_is_well_while_its_sweeps_come_through(tmp_path, age, code):
    swept = tmp_path / "swept"
    if age is not None:
        swept.touch()
        os.utime(swept, (time.time() - age,) * 2)
    assert check({"SWEPT_FILE": str(swept)}, part="swept").returncode == code


def test_the_compose_file_asks_each_part_what_it_can_answer():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    asked = {
        name: part["healthcheck"]["test"][-1]
        for name, part in services.items()
        if "portal.launch.serve" in part.get("healthcheck", {}).get("test", ())
    }
    assert asked == {"web": "health", "sockets": "health", "worker": "swept", "delivery": "swept"}
    for part in ("worker", "delivery"):
        assert services[part]["environment"].items() > services["web"]["environment"].items()
        assert services[part]["environment"]["SWEPT_FILE"].startswith(services[part]["tmpfs"][0])


def test_every_queue_has_a_part_that_works_it_off_and_messages_one_of_their_own():
    """Who waits for a gateway that hangs keeps nothing else waiting."""
    parts = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    queues = {
        str(word).removeprefix("--queues=")
        for part in parts.values()
        if (name := part.get("command", [""])[0]) in {"worker", "delivery"}
        for word in serve.command(name)
        if str(word).startswith("--queues=")
    }
    calls = [entry["task"] for entry in app.conf.beat_schedule.values()]
    queue_of = {name: app.amqp.router.route({}, name)["queue"].name for name in calls}
    assert set(queue_of.values()) == queues
    assert [name for name, queue in queue_of.items() if queue == "delivery"] == ["messaging.deliver_due"]


def test_no_call_of_the_clock_waits_for_long():
    assert all(60 <= entry["options"]["expires"] <= 3600 for entry in app.conf.beat_schedule.values())
