"""The door of every staff page: signed in, second factor given, and a role that opens it."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar, overload

from django.http import Http404, HttpRequest, HttpResponse

from apps.accounts.doors import way_in
from apps.accounts.models import User

from .middleware import staff_now
from .models import Unit
from .queries import Staff

View = TypeVar("View", bound=Callable[..., HttpResponse])


class StaffRequest(HttpRequest):
    """A request that came through `staff_required`."""

    user: User
    staff: Staff
    unit: Unit


@overload
def staff_required(view: View) -> View: ...
@overload
def staff_required(*, roles: Collection[str] | None = None) -> Callable[[View], View]: ...


def staff_required(view: Any = None, *, roles: Collection[str] | None = None) -> Any:
    """Open a view to staff: anybody with a role, or in her current unit with one of `roles`. Others meet a 404."""

    def door(inner: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(inner)
        def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if (step := way_in(request)) is not None:
                return step
            staff = staff_now(request)
            if staff is None or staff.unit is None or (roles is not None and not staff.roles & frozenset(roles)):
                raise Http404
            request.user, request.staff, request.unit = staff.user, staff, staff.unit
            return inner(request, *args, **kwargs)

        return guarded

    return door if view is None else door(view)
