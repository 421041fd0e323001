"""What every template may use (a builtin library): icons, dates as people say them, form fields, the shell."""

from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

from django import template
from django.conf import settings
from django.forms import BoundField, Form
from django.forms import widgets as form_widgets
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import static
from django.urls import resolve
from django.urls.exceptions import Resolver404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from apps.common import dates

register = template.Library()

LANGUAGE_NAMES: Final = {
    "nb": "Norsk bokmål",
    "nn": "Norsk nynorsk",
    "se": "Davvisámegiella",
    "en": "English",
}
"""Each language in its own words, so they are never translated."""

SCHEMES: Final = ("auto", "light", "dark")
ICONS: Final = "vendor/aksel-icons.svg"


# Icons and the shell -------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def icon(context: Context, name: str, size: str = "") -> SafeString:
    """Draw an Aksel icon by name. It is decoration: the words beside it carry the meaning."""
    return _icon(name, size, context.get("icons", ICONS))


@register.simple_tag(takes_context=True)
def icons_of_guests(context: Context) -> str:
    """Take the icons of this page and what it includes from the small sprite (assets.mjs says for which pages)."""
    context["icons"] = "vendor/aksel-icons-guests.svg"
    return ""


@register.simple_tag(takes_context=True)
def icons_of_staff(context: Context) -> str:
    """Take the icons of this block from the large sprite, on a page that otherwise makes do with the small one."""
    context["icons"] = ICONS
    return ""


@cache
def _icon(name: str, size: str, sprite: str) -> SafeString:
    return format_html(
        '<svg class="vt-icon" aria-hidden="true" focusable="false"{}><use href="{}#{}"></use></svg>',
        format_html(' data-size="{}"', size) if size else "",
        static(sprite),
        name,
    )


@register.simple_tag(takes_context=True)
def nav_current(context: template.Context, *names: str) -> SafeString:
    """Write `aria-current="page"` when this page has one of these URL names (or namespaces, ending in a colon)."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return SafeString("")
    try:
        match = request.resolver_match or resolve(request.path_info)
    except Resolver404:
        return SafeString("")
    here = any(match.view_name == name or (name.endswith(":") and match.view_name.startswith(name)) for name in names)
    return SafeString(' aria-current="page"' if here else "")


@register.simple_tag(takes_context=True)
def colour_scheme(context: template.Context) -> str:
    """Say which colours this browser has asked for: light, dark, or as the device."""
    request: HttpRequest | None = context.get("request")
    asked = request.COOKIES.get("scheme", "auto") if request is not None else "auto"
    return asked if asked in SCHEMES else "auto"


@register.simple_tag
def idle_minutes() -> int:
    """Say how long staff may be away before they are signed out."""
    return settings.STAFF_IDLE_MINUTES


@register.simple_tag
def languages(*codes: str) -> list[dict[str, Any]]:
    """List the languages by code, each in its own words, with the active one marked."""
    active = (get_language() or "nb")[:2]
    return [{"code": code, "name": LANGUAGE_NAMES[code], "active": code == active} for code in codes]


# Dates and numbers ---------------------------------------------------------------------------------------------------
@register.filter
def day(moment: date | datetime | None, now: datetime | None = None) -> str:
    """Write «i dag», «i morgen», «tirsdag 17. mars». Use capfirst at the start of a line."""
    return dates.near_day(moment, now=now) if moment else ""


@register.filter
def plain_day(moment: date | datetime | None, now: datetime | None = None) -> str:
    """Write «tirsdag 17. mars», also for today."""
    return dates.plain_day(moment, now=now) if moment else ""


@register.filter
def full_day(moment: date | datetime | None) -> str:
    """Write «tirsdag 17. mars 2026»."""
    return dates.full_day(moment) if moment else ""


@register.filter
def short_day(moment: date | datetime | None) -> str:
    """Write «17.03.2026», for tables and forms."""
    return f"{dates.local_date(moment):%d.%m.%Y}" if moment else ""


@register.filter
def month(moment: date | datetime | None) -> str:
    return dates.month(moment) if moment else ""


@register.filter
def week(moment: date | datetime | None) -> str:
    return dates.week(moment) if moment else ""


@register.filter
def clock(moment: datetime | None) -> str:
    """Write «10.30»."""
    return dates.clock(moment) if moment else ""


@register.filter
def clock_range(start: datetime | None, end: datetime | None) -> str:
    """Write «kl. 10.30–11.00», after a day."""
    return dates.words().at.format(day="", clock=dates.clock_range(start, end)).strip() if start and end else ""


@register.filter
def at(moment: datetime | None, now: datetime | None = None) -> str:
    """Write «i dag kl. 10.30», «tirsdag 17. mars kl. 10.30»."""
    if not moment:
        return ""
    return dates.words().at.format(day=dates.near_day(moment, now=now), clock=dates.clock(moment))


@register.filter
def stamp(moment: datetime | None) -> str:
    """Write «17.03.2026 kl. 10.30», for histories."""
    return dates.words().at.format(day=short_day(moment), clock=dates.clock(moment)) if moment else ""


@register.filter
def iso(moment: datetime | None) -> str:
    """Write the moment for machines, in Norway's time (`<time datetime>`)."""
    return timezone.localtime(moment).isoformat(timespec="minutes") if moment else ""


@register.filter
def zulu(moment: datetime | None) -> str:
    """Write the moment in UTC for addresses and hidden fields: «2026-03-17T09:30Z», the same on every night."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if moment else ""


@register.filter
def in_minutes(moment: datetime | None, now: datetime | None = None) -> str:
    """Write «om 12 minutter», «nå», «for 3 minutter siden» within the hour; nothing farther off."""
    if not moment:
        return ""
    seconds = (moment - (now or timezone.now())).total_seconds()
    minutes = round(abs(seconds) / 60)
    if minutes >= 60:
        return ""
    if minutes == 0:
        return gettext("now")
    if seconds > 0:
        return ngettext("in %(n)s minute", "in %(n)s minutes", minutes) % {"n": minutes}
    return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}


@register.filter
def minutes(length: Any) -> str:
    """Write a timedelta or a number of minutes as «30 min»."""
    whole = round(length.total_seconds() / 60) if hasattr(length, "total_seconds") else int(length)
    return gettext("%(n)s min") % {"n": whole}


@register.filter
def phone_pairs(number: str | None) -> str:
    """Write a Norwegian number as «00 00 10 20», another country's as it stands."""
    compact = "".join(ch for ch in number or "" if ch.isdigit() or ch == "+")
    eight = compact.removeprefix("+47").removeprefix("0047")
    if len(eight) != 8 or not eight.isdigit():
        return number or ""
    return " ".join(eight[at : at + 2] for at in range(0, 8, 2))


@register.filter
def initials(name: str | None) -> str:
    parts = (name or "").split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()


# Form fields ---------------------------------------------------------------------------------------------------------
@register.inclusion_tag("components/field.html")
def field(bound: BoundField, look: str = "", label: str = "", width: str = "", suffix: str = "") -> dict[str, Any]:
    """Draw a form's field with its label, description, control and error.

    `look`: «pills» or «scale» for choices. `width="short"` for numbers, codes and dates, `suffix` for a unit.
    A form field may also carry `look`, `width` and `suffix` itself, as attributes.
    """
    widget = bound.field.widget
    errors = list(bound.errors)
    error_id, help_id = f"{bound.auto_id}-error", f"{bound.auto_id}-help"
    described = " ".join(
        ([help_id] if bound.help_text else [])
        + ([error_id] if errors else [])
        + [extra for extra in [widget.attrs.get("aria-describedby")] if extra]
    )
    kind = _kind(widget)
    attrs: dict[str, Any] = {"class": f"ds-input {widget.attrs.get('class', '')}".strip()}
    if described:
        attrs["aria-describedby"] = described
    if errors:
        attrs["aria-invalid"] = "true"
    if width := width or getattr(bound.field, "width", ""):
        attrs["data-width"] = width
    return {
        "bound": bound,
        "kind": kind,
        "look": look or getattr(bound.field, "look", ""),
        "label": label or bound.label,
        "suffix": suffix or getattr(bound.field, "suffix", ""),
        "control": bound.as_widget(attrs=attrs) if kind not in {"radios", "checks"} else "",
        "options": list(bound.subwidgets) if kind in {"radios", "checks"} else [],
        "option_type": "radio" if kind == "radios" else "checkbox",
        "described": described,
        "errors": errors,
        "error_id": error_id,
        "help_id": help_id,
    }


def _kind(widget: form_widgets.Widget) -> str:
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, form_widgets.CheckboxSelectMultiple):
        return "checks"
    if isinstance(widget, form_widgets.RadioSelect):
        return "radios"
    if isinstance(widget, form_widgets.CheckboxInput):
        return "check"
    return "input"


@register.inclusion_tag("components/error_summary.html")
def error_summary(*forms: Form, title: str = "", level: int = 2) -> dict[str, Any]:
    """List every error of these forms above them, each a link to its field. Empty when there is none.

    Away from its field a message that fits several of them says which it means; what the rows of a table have in
    common is said once.
    """
    wrong = [(bound, str(message)) for form in forms for bound in form for message in bound.errors]
    times = Counter(message for _bound, message in wrong)
    found: list[tuple[str | None, str]] = [(None, str(said)) for form in forms for said in form.non_field_errors()]
    tables: set[tuple[str, str]] = set()
    for bound, message in wrong:
        table = getattr(bound.field, "row_of", "")
        if (table, message) in tables:
            continue
        target = f"{bound.auto_id}_0" if _kind(bound.field.widget) in {"radios", "checks"} else bound.auto_id
        if table:
            tables.add((table, message))
        elif times[message] > 1 or not getattr(bound.field, "names_itself", True):
            message = f"{bound.label}{'' if str(bound.label).endswith('?') else ':'} {message}"
        found.append((target, message))
    return {"found": found, "title": title, "level": level}


ALERT_COLOURS: Final = {"debug": "info", "info": "info", "success": "success", "warning": "warning", "error": "danger"}


@register.filter
def alert_colour(message: Any) -> str:
    """Return the palette of a Django message."""
    return ALERT_COLOURS.get(message.level_tag, "info")
