from django import template

from apps.common.languages import language_name

register = template.Library()


@register.filter
def spoken(code: str) -> str:
    """Write a language by its ISO 639-3 code, in the active language."""
    return language_name(code)
