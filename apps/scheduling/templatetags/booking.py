from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.common.dates import Words, local, words
from apps.common.languages import language_name

from .. import queries
from ..forms import slot_people, slot_time
from ..models import ParticipantRole
from ..queries import OpenTime, Who
from ..views.cards import Status
from ..views.wording import day_said, listed

register = template.Library()
register.filter("by_day", queries.by_day)


@register.simple_tag
def day_and_date(day: date, now: datetime) -> SafeString:
    """Head a day's times: its name, and smaller the rest of its date."""
    return format_html("{} <small>{}</small>", *day_said(day, now))


@register.simple_tag
def status(one: Status) -> SafeString:
    """Draw how an appointment stands. There are a handful of ways, and a week has many rows: each is drawn once."""
    return _status(one)


@lru_cache(maxsize=64)
def _status(one: Status) -> SafeString:
    return render_to_string("scheduling/_status.html", {"status": one})


@register.simple_tag
def slots(some: Sequence[OpenTime], earliest: OpenTime | None = None) -> SafeString:
    """Draw the times of a day. There may be hundreds on a page, and as a template they took longer than the search."""
    coming = {id(one.who): one.who for one in some}  # the same people come to many times
    people = {key: (_value(who), escape(_performers(who))) for key, who in coming.items()}
    said = words()
    return SafeString("".join(_slot(one, *people[id(one.who)], said, first=one is earliest) for one in some))


def _value(who: Sequence[Who]) -> str:
    return slot_people({one.need_id: one.schedule_id for one in who if one.need_id is not None})


def _performers(who: Sequence[Who]) -> str:
    return listed(one.name for one in who if one.role == ParticipantRole.PERFORMER)


def _slot(one: OpenTime, people: str, names: str, said: Words, *, first: bool) -> str:
    """Write a time's button: all but the names is made of digits."""
    iso, clock = slot_time(one.starts_at), said.clock(local(one.starts_at).time())
    state = flag = ""
    if first:
        state, flag = ' data-state="first"', f' <span class="vt-slot__flag">{escape(gettext("Earliest"))}</span>'
    return (
        f'<li><button class="vt-slot" name="starts_at" value="{iso}{people}"{state}><span class="vt-slot__time">'
        f'<time datetime="{iso}">{clock}</time>{flag}</span><span class="vt-slot__who">{names}</span></button></li>'
    )


@register.filter
def spoken(code: str) -> str:
    """Write a language by its ISO 639-3 code, in the active language."""
    return language_name(code)
