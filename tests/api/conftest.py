"""A program that acts as somebody: `api(kari).post("/appointments", {...})`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import create_api_key


class Program:
    """Another program with a key of somebody's."""

    def __init__(self, key: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key}"} if key else {}, raise_request_exception=False)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else ""
        return self.client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=named)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body if body is not None else {}, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", path, **headers)


@pytest.fixture
def api() -> Callable[[User], Program]:
    def program(user: User) -> Program:
        _key, plain = create_api_key(user=user, name="Journal", now=timezone.now())
        return Program(plain)

    return program


@pytest.fixture
def wish(wound_review: Any, ada: Any, kari_diary: Any) -> dict[str, Any]:
    """What Kari's program asks for: a wound review for Ada."""
    return {"service_type": str(wound_review.uid), "patient": str(ada.uid)}


@pytest.fixture
def first_time(api: Callable[[User], Program], kari: User, wish: dict[str, Any]) -> Callable[..., str]:
    """Return the first open time, or the n-th."""

    def find(n: int = 0, **more: Any) -> str:
        answer = api(kari).post("/open-times", wish | more)
        assert answer.status_code == 200, answer.content
        return str(answer.json()["items"][n]["starts_at"])

    return find


@pytest.fixture
def booked(
    api: Callable[[User], Program], kari: User, wish: dict[str, Any], first_time: Callable[..., str]
) -> dict[str, Any]:
    answer = api(kari).post("/appointments", wish | {"starts_at": first_time()})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def errors_of(answer: HttpResponse) -> dict[str, str]:
    """Map what is wrong where: pointer or parameter to code."""
    return {error.get("pointer", error.get("parameter")): error["code"] for error in answer.json()["errors"]}
