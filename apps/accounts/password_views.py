"""Changing a password one knows, and choosing a new one by a link in a mail. The flow and its limits are allauth's."""

from typing import Any

from allauth.account.internal.flows.password_change import finalize_password_change
from allauth.account.views import PasswordResetFromKeyView, PasswordResetView
from allauth.decorators import rate_limit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from . import passwords
from .doors import VerifiedRequest, verified_required
from .forms import ChangePasswordForm, NewPasswordForm, PasswordForgottenForm


class PasswordForgotten(PasswordResetView):
    """Ask for the address, and say the same whether somebody has it or not."""

    template_name = "accounts/password_forgotten.html"
    form_class = PasswordForgottenForm
    success_url = reverse_lazy("account_reset_password_done")

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return answer


class PasswordByLink(PasswordResetFromKeyView):
    """Opening the link changes nothing: it leads to a form at an address without the token."""

    template_name = "accounts/password_by_link.html"
    form_class = NewPasswordForm

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return answer

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if context.get("token_fail"):
            kwargs["status"] = 410
        answer: HttpResponse = super().render_to_response(context, **kwargs)
        return answer


password_forgotten = PasswordForgotten.as_view()
password_by_link = PasswordByLink.as_view()


@require_GET
def password_link_sent(request: VerifiedRequest) -> HttpResponse:
    return render(request, "accounts/password_link_sent.html")


@sensitive_post_parameters("old_password", "password1", "password2")
@require_http_methods(["GET", "POST"])
@verified_required
@rate_limit(action="change_password")
def change_password(request: VerifiedRequest) -> HttpResponse:
    user = request.user
    if not user.has_usable_password():
        return redirect("account_reset_password")
    form = ChangePasswordForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        passwords.set_password(
            user=user,
            password=form.cleaned_data["password1"],
            now=timezone.now(),
            keep_session=request.session.session_key,
        )
        finalize_password_change(request, user)
        messages.success(request, _("The password is changed. Your other devices are signed out."))
        return redirect("accounts:profile")
    return render(request, "accounts/change_password.html", {"form": form}, status=422 if form.errors else 200)
