"""Headers on every answer, and the short way to the API."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers

PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()"


class ResponseHeaders:
    """Nothing is cached by anybody but fingerprinted static files, nothing is indexed, few permissions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = PERMISSIONS
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response


API: Final = "/api/v1/"
NOTHING_TO_SHOW: Final = "default-src 'none'; frame-ancestors 'none'"


class StraightToApi:
    """Programs come with a key of their own: what follows here is about cookies, sessions, forms and pages.

    What the API needs of it is done here: the host is one of ours, the language is the one asked for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        request.get_host()
        language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers["Content-Language"] = language
        response.headers["Content-Security-Policy"] = NOTHING_TO_SHOW
        response.headers["X-Frame-Options"] = "DENY"
        if not response.streaming:
            response.headers["Content-Length"] = str(len(response.content))
        return response
