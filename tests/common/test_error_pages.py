"""Whatever fails, the person gets a page in words, and the page needs nothing that may have failed too."""

import pytest
from django.test import RequestFactory

from apps.common import views


@pytest.mark.parametrize(
    ("view", "status"),
    [(views.bad_request, 400), (views.forbidden, 403), (views.not_found, 404), (views.csrf_failure, 403)],
)
def test_each_error_has_a_page_for_people(view, status):
    answer = view(RequestFactory().get("/"), Exception("inner words"))
    assert answer.status_code == status
    assert "<h1" in answer.content.decode()
    assert "inner words" not in answer.content.decode()


def test_the_page_for_our_own_faults_asks_nobody_anything():
    answer = views.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "<h1" in answer.content.decode()
