"""What every part of the JSON API shares: strict shapes, errors as problem details (RFC 9457), pages."""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import wraps
from http.client import responses
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, re_path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .errors import ChangedMeanwhile, DomainError, is_outage
from .languages import LANGUAGES
from .plain_text import is_plain

LOG = logging.getLogger(__name__)
PROBLEM: Final = "application/problem+json"
PROBLEM_TYPE: Final = "urn:videotime:problem:"
MOST_IN_A_PAGE: Final = 200
MOST_ERRORS: Final = 20
"""Enough to correct a request by; a body of nonsense is not answered at twice its length."""

TITLES: Final[dict[int, Promise]] = {
    400: gettext_lazy("The request cannot be read"),
    401: gettext_lazy("A valid key is missing"),
    403: gettext_lazy("You may not do this"),
    404: gettext_lazy("There is nothing here"),
    405: gettext_lazy("This cannot be done here"),
    409: gettext_lazy("It cannot be done as things stand"),
    411: gettext_lazy("Say how long the request is"),
    413: gettext_lazy("The request is too large"),
    415: gettext_lazy("Send JSON"),
    422: gettext_lazy("Something in the request is wrong"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Something went wrong with us"),
    503: gettext_lazy("We cannot answer right now"),
}

DETAILS: Final[dict[int, Promise]] = {
    404: gettext_lazy("Look at the address and its identifiers. What the key's user may not see is not here either."),
    405: gettext_lazy("The header Allow names what can be done here."),
    413: gettext_lazy("Send less in one request."),
    422: gettext_lazy("Look at the errors, correct them and send it again."),
}
"""What to do about it, where an operation has nothing nearer to say."""


# Shapes --------------------------------------------------------------------------------------------------------------
class Strict(BaseModel):
    """A body or a query: what is not known is refused, so that a misspelt name is found at once."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Shown(BaseModel):
    """What is answered."""


def one_of(known: Iterable[str]) -> dict[str, Any]:
    """Describe which values there are, without looking at each that is answered."""
    return {"enum": [str(one) for one in known]}


def example(**body: Any) -> ConfigDict:
    """Show in the description how a body is written; `Strict` adds what holds for all."""
    return ConfigDict(json_schema_extra={"examples": [body]})


def _plain(text: str) -> str:
    if not is_plain(text):
        raise PydanticCustomError("not_plain", "not plain text")
    return text


Code = Annotated[str, StringConstraints(max_length=40), AfterValidator(_plain)]
Name = Annotated[str, StringConstraints(max_length=80), AfterValidator(_plain)]
Line = Annotated[str, StringConstraints(max_length=254), AfterValidator(_plain)]
Reason = Annotated[str, StringConstraints(max_length=300), AfterValidator(_plain)]
"""One line of plain text, of limited length."""


def _in_our_time(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise PydanticCustomError("out_of_range", "out of range")
    return moment


LOST_PLUS: Final = re.compile(r"(T[\d:.]+) (\d{2}:?\d{2})$", re.ASCII)
"""A plus in an address means a space: `?start=2026-03-17T10:30:00+01:00` can mean nothing else."""


def _written_out(form: re.Pattern[str], fault: str) -> BeforeValidator:
    """Refuse numbers, which pydantic would take for seconds since 1970, before anything is made of them."""

    def check(value: object) -> object:
        if not isinstance(value, str) or not form.match(value):
            raise PydanticCustomError(fault, "not written out")
        return LOST_PLUS.sub(r"\1+\2", value)

    return BeforeValidator(check)


Moment = Annotated[
    AwareDatetime,
    _written_out(re.compile(r"\d{4}-\d{2}-\d{2}"), "datetime_type"),
    AfterValidator(_in_our_time),
    Field(description="With its time zone, between the years 2000 and 2200.", examples=["2026-03-17T10:30:00+01:00"]),
]
"""A moment with its time zone; one without is refused rather than guessed."""

Day = Annotated[date, _written_out(re.compile(r"\d{4}-\d{2}-\d{2}$", re.ASCII), "date_type")]

LanguageCode = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{3}$"), Field(description="ISO 639-3", json_schema_extra=one_of(LANGUAGES))
]
LanguageOrNone = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z]{3})?$"),
    Field(description="ISO 639-3", json_schema_extra=one_of(["", *LANGUAGES])),
]


class UnitQuery(Strict):
    """`unit` (or the header X-Unit) chooses where the user works when she works in several units."""

    unit: Code | None = None


class PageQuery(UnitQuery):
    limit: int = Field(50, ge=1, le=MOST_IN_A_PAGE)
    offset: int = Field(0, ge=0, le=100_000)


def next_page(request: HttpRequest, query: PageQuery, found: Sequence[Any]) -> str | None:
    """Return the address of the next page when `found`, fetched one longer than the page, says that there is one."""
    if len(found) <= query.limit:
        return None
    asked = [(name, value) for name, value in request.GET.items() if name not in {"limit", "offset"}]
    return f"{request.path}?{urlencode([*asked, ('limit', query.limit), ('offset', query.offset + query.limit)])}"


# Answers -------------------------------------------------------------------------------------------------------------
class FieldProblem(BaseModel):
    """What is wrong with one value: `pointer` (RFC 6901) into the body, or the name of a `parameter`."""

    pointer: str | None = None
    parameter: str | None = None
    code: str
    detail: str


class Problem(BaseModel):
    """An error, as problem details (RFC 9457), in the language asked for by Accept-Language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []


class Refused(Exception):
    """Raised by an operation to answer with a problem."""

    def __init__(
        self, status: int, code: str, detail: Any = "", *, errors: Sequence[FieldProblem] = (), **more: Any
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.errors, self.more = status, code, detail, errors, more


def answer(shown: BaseModel, *, status: int = 200, location: str = "") -> HttpResponse:
    """Answer with what an operation built itself: it is valid as it is and not checked a second time."""
    response = HttpResponse(shown.model_dump_json(), status=status, content_type="application/json")
    if location:
        response["Location"] = location
    return response


def problem(
    status: int,
    code: str,
    detail: Any = "",
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    title = str(TITLES.get(status, ""))
    advice = DETAILS.get(422 if errors else status, title)
    if status == 409:
        more = {"reason": code} | more  # whatever it was, a program that branches on it finds it in one place
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + code,
        "title": title,
        "status": status,
        "detail": str(detail or advice),
        "code": code,
        "errors": [error.model_dump(exclude_none=True) for error in errors],
        **more,
    }
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type=PROBLEM, headers=dict(headers or {})
    )


# What went wrong, in words -------------------------------------------------------------------------------------------
def _words(kind: str, context: Mapping[str, Any], said: str) -> str:
    """Say what is wrong with a value in the reader's language."""
    if kind == "string_too_long":
        return _("At most %(n)s characters.") % {"n": context["max_length"]}
    if kind in {"too_long", "less_than_equal"}:
        return _("At most %(n)s.") % {"n": context.get("max_length", context.get("le"))}
    if kind in {"too_short", "greater_than_equal"}:
        return _("At least %(n)s.") % {"n": context.get("min_length", context.get("ge"))}
    if kind in {"enum", "literal_error"}:
        choices = re.findall(r"'([^']*)'", context.get("expected", ""))
        return _("Choose one of %(choices)s.") % {"choices": ", ".join(choices)}
    if kind == "value_error":
        return said.removeprefix("Value error, ")
    for start, text in WORDS.items():
        if kind.startswith(start):
            return str(text)
    return _("This value cannot be used.")


WORDS: Final[dict[str, Promise]] = {
    "missing": gettext_lazy("This is missing."),
    "string_too_short": gettext_lazy("This is missing."),
    "extra_forbidden": gettext_lazy("There is no such field here."),
    "not_plain": gettext_lazy("Write letters, digits and ordinary signs only, on one line."),
    "string_pattern": gettext_lazy("This is not written as it should be."),
    "string": gettext_lazy("Send a text."),
    "timezone": gettext_lazy("Write date, time and time zone, for example 2026-03-17T10:30:00+01:00."),
    "datetime": gettext_lazy("Write date, time and time zone, for example 2026-03-17T10:30:00+01:00."),
    "out_of_range": gettext_lazy("The time must lie between the years 2000 and 2200."),
    "date": gettext_lazy("Write a date, for example 2026-03-17."),
    "uuid": gettext_lazy("Send an identifier as the API gave it."),
    "bool": gettext_lazy("Send true or false."),
    "int": gettext_lazy("Send a whole number."),
    "float": gettext_lazy("Send a number."),
    "list": gettext_lazy("Send a list."),
    "dict": gettext_lazy("Send a JSON object."),
    "model": gettext_lazy("Send a JSON object."),
}


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    place, *path = [str(part) for part in error["loc"]]
    detail = _words(error["type"], error.get("ctx", {}), error.get("msg", ""))
    code = error["type"].replace("_", "-")
    if place == "body":
        # ninja puts the parameter's name first, which the caller has never seen
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path[1:])
        return FieldProblem(pointer=pointer, code=code, detail=detail)
    return FieldProblem(parameter=path[-1] if path else place, code=code, detail=detail)


# The API -------------------------------------------------------------------------------------------------------------
class ProblemApi(NinjaAPI):
    """A NinjaAPI whose every error is a problem, also where no operation was found."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_exception_handler(Refused, _on_refused)
        self.add_exception_handler(DomainError, _on_domain_error)
        self.add_exception_handler(ValidationError, _on_validation_error)
        self.add_exception_handler(AuthenticationError, _on_no_key)
        self.add_exception_handler(HttpError, _on_http_error)
        self.add_exception_handler(Http404, _on_not_found)
        self.add_exception_handler(RequestDataTooBig, _on_too_large)
        self.add_exception_handler(SuspiciousOperation, _on_suspicious)
        self.add_exception_handler(Exception, _on_fault)

    @property
    def urls(self) -> Any:
        patterns, app_name, namespace = super().urls
        wrapped: list[Any] = []
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                is_description = pattern.name == "openapi-json"
                pattern.callback = _with_problems(
                    require_safe(pattern.callback) if is_description else pattern.callback
                )
            wrapped.append(pattern)
        return [*wrapped, re_path(r"^[\s\S]*$", _nothing_here, name="nothing")], app_name, namespace

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """Describe besides what holds for every operation: the headers it heeds, and its errors as what they are."""
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                operation["parameters"] = [*operation["parameters"], *_headers_of(method)]
                operation["responses"] = _answers_of(method, operation["responses"])
        return schema


EVERYWHERE: Final = (400, 401, 403, 404, 422, 500, 503)
WITH_A_BODY: Final = (409, 411, 413, 415)
OUR_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}


def _headers_of(method: str) -> list[dict[str, Any]]:
    unit = _header("X-Unit", "The unit in which the key's user acts; her first when it is left out.", format="uuid")
    repeated = _header(
        "Idempotency-Key",
        "A request that is sent again with the same key takes effect once, and gets the same answer.",
        pattern="^[ -~]{1,200}$",
    )
    return [unit, repeated] if method == "post" else [unit]


def _header(name: str, description: str, **written: str) -> dict[str, Any]:
    schema = {"type": "string", **written}
    return {"in": "header", "name": name, "required": False, "description": description, "schema": schema}


def _answers_of(method: str, told: Mapping[int, Any]) -> dict[int, Any]:
    """Errors are problem details, and some of them may meet every request, whatever the operation."""
    always = (*EVERYWHERE, *WITH_A_BODY) if method == "post" else EVERYWHERE
    answers = {status: {"description": str(responses[status]), "content": {PROBLEM: OUR_PROBLEM}} for status in always}
    for status, answer_told in told.items():
        content = answer_told.get("content", {})
        is_problem = int(status) >= 400 and "application/json" in content
        answers[int(status)] = answer_told | ({"content": {PROBLEM: content["application/json"]}} if is_problem else {})
    for status, told_of in answers.items():
        if headers := {name: HEADERS[name] for name in _header_names(method, status)}:
            answers[status] = told_of | {"headers": headers}
    return dict(sorted(answers.items()))


HEADERS: Final = {
    name: {"description": said, "schema": {"type": "string"}}
    for name, said in {
        "Location": "The address of what was made or found.",
        "Idempotent-Replay": "`true` where the answer to an earlier request with this Idempotency-Key is given again.",
        "Retry-After": "Seconds after which the same request may be sent again.",
        "WWW-Authenticate": "`Bearer`",
    }.items()
}


def _header_names(method: str, status: int) -> list[str]:
    """Name the headers of an answer that its reader may need; they need not be there."""
    always = {401: ["WWW-Authenticate"], 409: ["Retry-After"], 503: ["Retry-After"]}.get(status, [])
    kept = ["Idempotent-Replay"] if method == "post" and status in {200, 201, 409} else []
    return [*always, *(["Location"] if method == "post" and status == 201 else []), *kept]


def known_parameters(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse query parameters that an operation does not have: a misspelt filter must not list everything."""
    operation = run.__self__  # type: ignore[attr-defined]
    known = {"unit"}
    for model in operation.models:
        if model.__ninja_param_source__ == "query":
            known |= set(model.__ninja_flatten_map__)

    @wraps(run)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        unknown = [name for name in request.GET if name not in known]
        if unknown:
            detail = str(WORDS["extra_forbidden"])
            return problem(
                422,
                "invalid",
                errors=[
                    FieldProblem(parameter=name[:80], code="extra-forbidden", detail=detail)
                    for name in unknown[:MOST_ERRORS]
                ],
            )
        return run(request, **kwargs)

    return wrapped


def _with_problems(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            # WSGI cannot tell where such a body ends, so that all of it would go unread
            return problem(411, "length-required", _("Send the body whole, with a Content-Length."))
        sent = request.META.get("CONTENT_LENGTH") not in {None, "", "0"}
        if sent and request.method not in {"GET", "HEAD"} and request.content_type != "application/json":
            return problem(415, "not-json", _("Send the body as application/json."))
        try:
            response: HttpResponse = view(request, *args, **kwargs)
        except RequestDataTooBig:
            return problem(413, "too-large")
        except Http404:
            return problem(404, "not-found")
        except SuspiciousOperation:  # more parameters than anybody needs, before any operation is reached
            return problem(400, "refused")
        except Exception as fault:  # noqa: BLE001 before any operation, as the look-up of the key: no page for a program
            return fault_problem(fault)
        if isinstance(response, HttpResponseNotAllowed):
            return problem(405, "method-not-allowed", headers={"Allow": response["Allow"]})
        return response

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens the API: keys do
    return wrapped


def _nothing_here(request: HttpRequest) -> HttpResponse:
    return problem(404, "not-found")


_nothing_here.csrf_exempt = True  # type: ignore[attr-defined]


def _on_refused(request: HttpRequest, refused: Any) -> HttpResponse:
    errors = refused.errors if request.method == "POST" else [_as_parameter(error) for error in refused.errors]
    return problem(refused.status, refused.code, refused.detail, errors=errors, **refused.more)


def _as_parameter(error: FieldProblem) -> FieldProblem:
    """Say it of the query where there is no body to point into: `/end` is the parameter `end`."""
    if not error.pointer:
        return error
    return FieldProblem(parameter=error.pointer.split("/")[1], code=error.code, detail=error.detail)


def _on_domain_error(request: HttpRequest, refusal: Any) -> HttpResponse:
    if not refusal.field or isinstance(refusal, ChangedMeanwhile):
        return problem(409, refusal.code, refusal)
    error = FieldProblem(pointer=f"/{refusal.field}", code=refusal.code, detail=str(refusal))
    return _on_refused(request, Refused(422, refusal.code, refusal, errors=[error]))


def _on_validation_error(request: HttpRequest, fault: Any) -> HttpResponse:
    errors = [_field_problem(error) for error in fault.errors[:MOST_ERRORS]]
    return problem(422, "invalid", errors=errors)


def _on_no_key(request: HttpRequest, fault: Any) -> HttpResponse:
    detail = _("Send a valid key as Authorization: Bearer.")
    return problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})


def _on_http_error(request: HttpRequest, fault: Any) -> HttpResponse:
    if isinstance(fault.__cause__, RequestDataTooBig):
        return _on_too_large(request, fault)
    code = "malformed-json" if fault.status_code == 400 else "refused"
    detail = _("The body is not JSON that can be read.") if fault.status_code == 400 else ""
    return problem(fault.status_code, code, detail)


def _on_not_found(request: HttpRequest, fault: Any) -> HttpResponse:
    return problem(404, "not-found")


def _on_too_large(request: HttpRequest, fault: Any) -> HttpResponse:
    return problem(413, "too-large")


def _on_suspicious(request: HttpRequest, fault: Any) -> HttpResponse:
    return problem(400, "refused")


def _on_fault(request: HttpRequest, fault: Any) -> HttpResponse:
    if isinstance(fault, OperationalError) and connection.in_atomic_block:
        raise fault  # a repeatable request tries the whole transaction again
    return fault_problem(fault)


def fault_problem(fault: Exception) -> HttpResponse:
    """Say that it failed on our side. A change may be in all the same: the connection can be lost after the commit."""
    LOG.error("API request failed", exc_info=fault)
    detail = _(
        "If it was to change something, look whether it did. With an Idempotency-Key it can be sent again as it is."
    )
    if is_outage(fault):
        return problem(503, "unavailable", detail, headers={"Retry-After": "5"})
    return problem(500, "fault", detail)


class Found(Shown):
    """A list: `next` is the address of the next page, null on the last."""

    next: str | None = None

    @classmethod
    def page(cls, request: HttpRequest, query: PageQuery, found: Sequence[Any], items: list[Any]) -> Self:
        return cls(items=items, next=next_page(request, query, found))  # type: ignore[call-arg]
