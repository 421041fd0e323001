"""Which settings a production must not have. The demo, which the tests run as, may have them all."""

import pytest

from apps.common.checks import production_is_complete

COMPLETE = {
    "DEMO": False,
    "DEBUG": False,
    "SECURE": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "SECRET_KEY": "vM0rZ3u1kq9x7Yt5c2Wb8Ns4Lp6Jh1Gf3Dd5Sa7Qw9Er0Ty2Ui4",
    "FIELD_KEYS": ["ZmllbGQta2V5LWZvci10aGUtdGVzdHMtMzItYnl0ZXM="],
    "INDEX_KEY": "aW5kZXgta2V5LWZvci10aGUtdGVzdHMtMzItYnl0ZXM=",
    "LINK_KEY": "bGluay1rZXktZm9yLXRoZS10ZXN0cy1vZi0zMi1ieXQ=",
    "PUBLIC_URL": "https://video.kommune.test",
    "SOCKETS_URL": "",
    "REDIS_URL": "redis://valkey:6379/0",
    "ALLOWED_HOSTS": ["video.kommune.test"],
    "EMAIL_CARRIER": "smtp",
    "EMAIL_HOST": "mail.kommune.test",
    "EMAIL_USE_TLS": True,
    "DEFAULT_FROM_EMAIL": "video@kommune.test",
    "SMS_CARRIERS": ["kannel"],
    "KANNEL_URL": "http://kannel:13013",
    "KANNEL_USERNAME": "videotime",
    "KANNEL_PASSWORD": "secret",
    "RECEIPT_SECRET": "also-secret-and-long-enough",
    "TURN_URLS": ["turn:turn.kommune.test:3478"],
    "TURN_SECRET": "secret",
}


@pytest.fixture
def faults(settings):
    def found(**change):
        for name, value in (COMPLETE | change).items():
            setattr(settings, name, value)
        return [message.msg for message in production_is_complete()]

    return found


def test_a_complete_production_has_no_faults(faults):
    assert faults() == []


def test_the_demo_may_be_half_set_up(faults):
    assert faults(DEMO=True, SECRET_KEY="dev-only", SMS_CARRIERS=["inbox"]) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be 50"),
        ({"SECRET_KEY": "dev-only-" + "k" * 60}, "SECRET_KEY must be 50"),
        ({"FIELD_KEYS": []}, "FIELD_KEYS is missing"),
        ({"FIELD_KEYS": ["dG9vIHNob3J0"]}, "FIELD_KEYS must hold keys of 32 bytes"),
        ({"INDEX_KEY": COMPLETE["LINK_KEY"]}, "must all be different"),
        ({"DEBUG": True}, "DEBUG must be 0"),
        ({"SECURE_PROXY_SSL_HEADER": None}, "TRUSTED_PROXY_COUNT"),
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS must name"),
        ({"ALLOWED_HOSTS": ["other.kommune.test"]}, "ALLOWED_HOSTS must hold the host name of PUBLIC_URL"),
        ({"SOCKETS_URL": "ws://video.kommune.test"}, "SOCKETS_URL must be a wss address"),
        ({"EMAIL_CARRIER": "inbox"}, "EMAIL_CARRIER must be smtp"),
        ({"EMAIL_HOST": ""}, "EMAIL_HOST is missing"),
        ({"DEFAULT_FROM_EMAIL": "videotime@videotime.example"}, "DEFAULT_FROM_EMAIL is missing"),
        ({"SMS_CARRIERS": []}, "SMS_CARRIERS is missing"),
        ({"SMS_CARRIERS": ["kannel", "inbox"]}, "SMS_CARRIERS must not hold inbox"),
        ({"KANNEL_PASSWORD": ""}, "KANNEL_PASSWORD is missing"),
        ({"TURN_SECRET": ""}, "TURN_URLS and TURN_SECRET are missing"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY must be 50 random characters"),
        ({"PUBLIC_URL": "https://video.kommune.test/portal"}, "PUBLIC_URL must end with the host"),
        ({"REDIS_URL": "http://valkey:6379"}, "REDIS_URL must look like redis://"),
        ({"DEFAULT_FROM_EMAIL": "videotime"}, "DEFAULT_FROM_EMAIL is missing"),
        ({"KANNEL_URL": "kannel"}, "KANNEL_URL must be smsbox's address"),
        ({"KANNEL_URL": "http://kannel:13013/cgi-bin/sendsms"}, "KANNEL_URL must be smsbox's address"),
        ({"RECEIPT_SECRET": "a/b"}, "RECEIPT_SECRET stands in an address"),
        ({"RECEIPT_SECRET": "also-secret"}, "RECEIPT_SECRET must be 20 random characters"),
        ({"EMAIL_USE_TLS": False}, "EMAIL_USE_TLS must be 1"),
        ({"KANNEL_URL": "http://sms.supplier.test"}, "KANNEL_URL must be https"),
        ({"KANNEL_URL": "http://193.156.90.1:13013"}, "KANNEL_URL must be https"),
        ({"TURN_URLS": ["https://turn.kommune.test"]}, "TURN_URLS must hold addresses"),
    ],
)
def test_each_fault_is_one_line(faults, change, fault):
    (line,) = faults(**change)
    assert line.startswith(fault) or fault in line
    assert "\n" not in line


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "mail"])
def test_mail_may_go_in_clear_to_this_machine(faults, host):
    assert faults(EMAIL_HOST=host, EMAIL_USE_TLS=False) == []


@pytest.mark.parametrize(
    "url",
    ["http://10.20.30.40:13013", "http://[fd00::1]:13013", "http://localhost:13013", "https://sms.supplier.test"],
)
def test_an_sms_gateway_is_on_this_network_or_reached_over_tls(faults, url):
    assert faults(KANNEL_URL=url) == []


def test_mail_may_come_from_an_address_with_a_name(faults):
    assert faults(DEFAULT_FROM_EMAIL="Videotime <video@kommune.test>") == []


def test_a_portal_without_tls_is_refused(faults):
    lines = faults(SECURE=False, PUBLIC_URL="http://video.kommune.test")
    assert lines == ["PUBLIC_URL must be the https address under which people reach the portal."]
