"""The language of a page for guests: chosen with ?lang=, chosen before, or the patient's own."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

KNOWN = {code for code, _name in settings.LANGUAGES}


def speak(request: HttpRequest, own: str) -> str:
    """Switch to the guest's language for this request and return it."""
    asked = request.GET.get("lang", "")
    kept = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    language = next((code for code in (asked, kept, own) if code in KNOWN), settings.LANGUAGE_CODE)
    translation.activate(language)
    request.LANGUAGE_CODE = language
    return language


def keep_choice(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Remember in the browser what was chosen with ?lang=; nothing is written anywhere else."""
    asked = request.GET.get("lang", "")
    if asked in KNOWN:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, asked, httponly=True, samesite="Lax", secure=settings.SECURE)
    return response
