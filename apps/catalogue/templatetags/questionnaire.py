"""Drawing the parts of a structured form that are no ordinary field."""

from typing import Any

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def number_control(bound: BoundField, table: str) -> SafeString:
    """Draw a number's control alone; its label and the error stand in the table around it, which has this id."""
    attrs: dict[str, Any] = {"class": "ds-input", "data-width": "short"}
    if bound.errors:
        attrs |= {"aria-invalid": "true", "aria-describedby": f"{table}-error"}
    return bound.as_widget(attrs=attrs)
