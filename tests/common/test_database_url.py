"""What DATABASE_URL turns into."""

import pytest

from portal.env import database


@pytest.fixture
def read(monkeypatch):
    def told(url, **more):
        for name, value in {"DATABASE_URL": url, **more}.items():
            monkeypatch.setenv(name, value)
        return database("DATABASE_URL")

    return told


def test_a_server_that_is_gone_is_given_up_in_seconds_unless_the_address_says_otherwise(read):
    options = read("postgres://videotime@database/videotime")["OPTIONS"]
    assert options["connect_timeout"] == 5
    told = read("postgres://videotime@database/videotime?connect_timeout=9&sslmode=require")["OPTIONS"]
    assert (told["connect_timeout"], told["sslmode"]) == ("9", "require")


@pytest.mark.parametrize(
    ("user", "password"), [("videotime", "of / its # own"), ("videotime:in%20the%20address", "in the address")]
)
def test_a_password_may_come_on_its_own_and_the_one_in_the_address_goes_before_it(read, user, password):
    told = read(f"postgres://{user}@database/videotime", DATABASE_PASSWORD="of / its # own")
    assert told["PASSWORD"] == password


def test_the_folder_of_a_socket_may_have_any_name(read):
    read = read("postgres://postgres@/videotime?host=/home/kåre/my state/postgres")
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("/home/kåre/my state/postgres", "", "videotime")
