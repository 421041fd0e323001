"""What DATABASE_URL turns into."""

from portal.env import database


def test_a_server_that_is_gone_is_given_up_in_seconds_unless_the_address_says_otherwise():
    options = database("postgres://videotime@database/videotime")["OPTIONS"]
    assert options["connect_timeout"] == 5
    told = database("postgres://videotime@database/videotime?connect_timeout=9&sslmode=require")["OPTIONS"]
    assert (told["connect_timeout"], told["sslmode"]) == ("9", "require")


def test_the_folder_of_a_socket_may_have_any_name():
    read = database("postgres://postgres@/videotime?host=/home/kåre/my state/postgres")
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("/home/kåre/my state/postgres", "", "videotime")
