"""Codes that are out: a join link in a message and a feed in a calendar work after every update."""

from uuid import UUID

from apps.common.codes import derive, digest_of

NONCE = UUID("0b6f7f0e-3c1e-4a55-9d0e-2f6b8a1c9d77")


def test_the_codes_that_people_have_stay_as_they_are(settings):
    settings.LINK_KEY = "dGVzdHMtb25seS1saW5rLS1rZXktMzItYnl0ZXMhISE="
    code = derive(NONCE)
    assert code == "d2z5gcm2xpf65px649ft2wvk4s"
    assert digest_of(code).hex() == "a0ad4ec764eeea1a926e3de461bebf1b3dcd7eddff5893ab61fe608e50fe88a3"
    assert derive(NONCE, purpose="calendar feed") == "ugpncti993vqfn27ngzu82cnka"
