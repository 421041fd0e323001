"""Signing in, the second factor, and one's own profile."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import django_otp
import segno
from allauth.account.views import LoginView, LogoutView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp.models import Device

from . import queries, services
from .devices import device_name
from .doors import verified_required
from .forms import BackupCodeForm, CodeForm, LanguageForm
from .middleware import SEEN
from .models import User


class SignIn(LoginView):
    """allauth's sign-in (its rate limits, its protection against probing) on our page."""

    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["demo_users"] = queries.demo_users() if settings.DEMO else ()
        context["next"] = _next(self.request, default="")
        return context

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return answer


class SignOut(LogoutView):
    template_name = "accounts/sign_out.html"


sign_in = SignIn.as_view()
sign_out = SignOut.as_view()


def demo_entry(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demo's users, second factor included. Exists in the demo only."""
    if not settings.DEMO:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user = get_object_or_404(queries.demo_users(), uid=_uid(request.POST.get("user", "")))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    _enter(request, queries.authenticator(user) or services.add_authenticator(user=user))
    return HttpResponseRedirect(_next(request))


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the code of somebody who has given her password; the first time, set the app up."""
    user: User = request.user  # type: ignore[assignment]
    if not queries.has_authenticator(user):
        return redirect(_with_next(request, "accounts:second_factor_setup"))
    if user.is_verified():
        return HttpResponseRedirect(_next(request))
    with_backup = "reserve" in request.GET
    form = (BackupCodeForm if with_backup else CodeForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = services.verify_second_factor(user=user, typed=form.cleaned_data["code"])
        if device is not None:
            _enter(request, device)
            return HttpResponseRedirect(_next(request))
        throttle = queries.throttle_of(user, timezone.now())
        form.add_error(
            "code",
            _("Wait %(seconds)d seconds, then type a new code.") % {"seconds": throttle.seconds}
            if throttle and throttle.seconds > 1
            else _("The code does not match. Check that you have not used it before.")
            if with_backup
            else _("The code does not match. Type the newest code from the app."),
        )
    context = {"form": form, "with_backup": with_backup, "next": _next(request, default="")}
    return render(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_required
def second_factor_setup(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app. With one in use already, a code from it comes first."""
    user: User = request.user  # type: ignore[assignment]
    if queries.has_authenticator(user) and not user.is_verified():
        return redirect(_with_next(request, "accounts:second_factor"))
    device = services.pending_authenticator(user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = services.confirm_authenticator(user=user, device=device, code=form.cleaned_data["code"])
        if codes is not None:
            _enter(request, device)
            return render(request, "accounts/backup_codes.html", {"codes": codes, "next": _next(request)})
        form.add_error("code", _("The code does not match. Type the newest code from the app."))
    secret = services.authenticator_secret(device)
    context = {
        "form": form,
        "qr": _qr(services.authenticator_address(device)),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "next": _next(request, default=""),
    }
    return render(request, "accounts/second_factor_setup.html", context, status=422 if form.errors else 200)


@require_GET
@verified_required
def profile(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    sessions = UserSession.objects.purge_and_list(user)
    for session in sessions:
        session.device = device_name(session.user_agent)
    context = {
        "sessions": sessions,
        "codes_left": queries.backup_codes_left(user),
        "idle_minutes": settings.STAFF_IDLE_MINUTES,
    }
    return render(request, "accounts/profile.html", context)


@require_POST
@verified_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out one of one's own devices."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    if session.is_current():
        return redirect("account_logout")
    session.end()
    messages.success(request, _("The device is signed out."))
    return redirect("accounts:profile")


@require_POST
@verified_required
def new_backup_codes(request: HttpRequest) -> HttpResponse:
    codes = services.new_backup_codes(user=request.user)  # type: ignore[arg-type]
    return render(request, "accounts/backup_codes.html", {"codes": codes, "next": resolve_url("accounts:profile")})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Change the language of the pages: for this browser, and for whoever is signed in, or signs in after it."""
    form = LanguageForm(request.POST)
    response = HttpResponseRedirect(_next(request))
    if form.is_valid():
        chosen = form.cleaned_data["language"]
        if request.user.is_authenticated:
            services.set_language(user=request.user, language=chosen)
        else:
            request.session[services.CHOSEN_LANGUAGE] = chosen
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=365 * 24 * 3600,
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _enter(request: HttpRequest, device: Device) -> None:
    """Mark the session as verified, under a new session key."""
    request.session.cycle_key()
    django_otp.login(request, device)
    request.session[SEEN] = int(timezone.now().timestamp())
    if request.user.is_authenticated:
        UserSession.objects.create_from_request(request)


def _next(request: HttpRequest, default: str | None = None) -> str:
    """Return where the person was going, if it is on this site."""
    back = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return back
    return resolve_url(settings.LOGIN_REDIRECT_URL) if default is None else default


def _with_next(request: HttpRequest, name: str) -> str:
    back = _next(request, default="")
    return resolve_url(name) + (f"?{urlencode({'next': back})}" if back else "")


def _uid(text: str) -> Any:
    try:
        return UUID(text)
    except ValueError as fault:
        raise Http404 from fault


def _qr(text: str) -> str:
    """Draw a QR code as an address that an image can show; the Content-Security-Policy allows it."""
    return str(segno.make(text, error="m").svg_data_uri(scale=4, border=2))
