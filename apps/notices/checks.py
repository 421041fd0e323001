"""A text that says too much does not start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from . import linter


@register()
def texts_say_nothing_about_health(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Read every text that strangers may see."""
    return [
        Error(f"notices/data/texts.yaml, {where}: {finding.what} «{finding.found}».", id="notices.text")
        for where, finding in linter.lint_all()
    ]
