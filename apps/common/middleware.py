"""Headers on every answer, and the short way to the API."""

from collections.abc import Callable
from typing import Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from apps.common import views

from .api import problem

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


class WordsForWrongMethod:
    """A person who opens an address that takes forms only gets a page in words, not the blank answer of the framework.

    That happens by a reload, from the history, or on the way back after signing in. Programs read the Allow header.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.method == "GET":
            return views.wrong_method(request, allowed=response.headers["Allow"])
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
        language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        only_head = request.method == "HEAD"
        if only_head:
            request.method = "GET"  # what that would answer, without the content (RFC 9110, 9.3.2)
        try:
            request.get_host()
        except DisallowedHost:
            return problem(400, "host-unknown", _("The portal is not reached by this host name."))
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers["Content-Language"] = language
        response.headers["Content-Security-Policy"] = NOTHING_TO_SHOW
        response.headers["X-Frame-Options"] = "DENY"
        if not response.streaming:
            response.headers["Content-Length"] = str(len(response.content))
        if only_head:
            response.content = b""
        return response
