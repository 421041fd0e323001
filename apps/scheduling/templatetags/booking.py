from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.common.dates import Words, local, words
from apps.common.languages import language_name

from ..forms import slot_time

if TYPE_CHECKING:
    from ..views.wizard import Slot

register = template.Library()


@register.simple_tag
def slots(some: "Sequence[Slot]") -> SafeString:
    """Draw the times of a day. There may be hundreds on a page, and as a template they took longer than the search."""
    who = {one.who: escape(one.who) for one in some}  # the rest is made of digits
    said = words()
    return SafeString("".join(_slot(one, who[one.who], said) for one in some))


def _slot(one: "Slot", who: str, said: Words) -> str:
    iso, clock = slot_time(one.time.starts_at), said.clock(local(one.time.starts_at).time())
    state = flag = ""
    if one.first:
        state, flag = ' data-state="first"', f' <span class="vt-slot__flag">{escape(gettext("Earliest"))}</span>'
    return (
        f'<li><button class="vt-slot" name="starts_at" value="{iso}{one.people}"{state}><span class="vt-slot__time">'
        f'<time datetime="{iso}">{clock}</time>{flag}</span><span class="vt-slot__who">{who}</span></button></li>'
    )


@register.filter
def spoken(code: str) -> str:
    """Write a language by its ISO 639-3 code, in the active language."""
    return language_name(code)
