"""Logs without people in them: one JSON line a record, secrets in addresses hidden, no local variables."""

import json
import logging
import re
from collections.abc import ItemsView, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db import Error
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

# Strangers choose what is logged, by addresses as long as the server takes: each pattern goes through a text once.
# So what is no e-mail address is not tried again from its second letter.
_SECRET_PATHS: Final = re.compile(r"(/(?:j|feeds|nytt-passord|hooks/+\w+)/+)[^/\n?\"']+", re.IGNORECASE)
_LINK_CODES: Final = re.compile(r"\b[a-km-np-z2-9]{26}\b", re.IGNORECASE)
_ELEVEN_DIGITS: Final = re.compile(r"\b\d{6}[ ]?\d{5}\b")
_PHONES: Final = re.compile(r"(?<![\w-])(?:\+|00)\d{8,14}\b")
_EMAILS: Final = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")


def hide(text: str) -> str:
    """Take links, national ids, phone numbers and e-mail addresses out of a text."""
    text = _SECRET_PATHS.sub(r"\1…", text)
    text = _LINK_CODES.sub("[link]", text)  # wherever a mistyped address has it
    text = _ELEVEN_DIGITS.sub("[id]", text)
    text = _PHONES.sub("[phone]", text)
    return _EMAILS.sub("[e-mail]", text)


class HidePrivate(logging.Filter):
    """Clean the finished message, whatever its arguments were."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide(_message(record)), None
        return True


def _message(record: logging.LogRecord) -> str:
    """Write it without the words of an error, which may be a whole row: «Failing row contains (…)». Its class stays."""
    error = record.exc_info[1] if record.exc_info else None
    kind = type(error).__name__ if error is not None else "an error"
    args = record.args
    if isinstance(args, Mapping):
        if record.name == "celery.app.trace" and "exc" in args:
            args = {**args, "exc": kind}  # Celery has made a text of it
        record.args = {name: _without_words(value, error) for name, value in args.items()}
    elif args:
        record.args = tuple(_without_words(value, error) for value in args)
    message = record.getMessage()
    if record.name.startswith("_granian"):  # it says what came out of the application, trace and all
        first, *rest = message.splitlines() or [""]
        message = "\n".join([first, *(line for line in rest if line.startswith("  File"))])
    return message


def _without_words(value: object, error: BaseException | None) -> object:
    """Our own errors say a code; the database's say what it was given, and one with a trace may have it from there."""
    told = isinstance(value, Error) or (error is not None and isinstance(value, BaseException))
    return type(value).__name__ if told else value


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = [
                frame
                for frame in hide(self.formatException(record.exc_info)).splitlines()
                if frame.startswith("  File")
            ]
        return json.dumps(line, ensure_ascii=False)


class NoVariables(SafeExceptionReporterFilter):
    """Error reports show where, never with what: no POST parameters, no local variables."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return {}.items()
