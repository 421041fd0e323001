"""What somebody is still to take part in, for whoever ends her access."""

from typing import Final

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.common.htmx import is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_GIVE
from apps.organisations.queries import accesses

from ..models import Appointment
from ..queries import still_with

PAGE: Final = 50


@require_safe
@staff_required(roles=MAY_GIVE)
def appointments_with(request: StaffRequest, membership: int) -> HttpResponse:
    """Say how many there are, for the page that ends the access; by itself list them.

    Who ends an access need not see its unit's appointments. Those she may not open are named by time, reference and
    the unit that asked for them, so that she knows whom to call: nothing of the patient, and no service.
    """
    now = timezone.now()
    access = get_object_or_404(accesses(request.staff, today=timezone.localdate(now)), pk=membership)
    found = still_with(access.user, access.unit, now=now)
    if is_htmx(request):
        return render(request, "scheduling/_of_colleague.html", {"access": access, "count": found.count()})
    open_to_her = Appointment.objects.visible_to(request.user, now=now).filter(pk=OuterRef("pk"))
    listed = found.select_related("requester_unit").annotate(may_open=Exists(open_to_her))
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    return render(request, "scheduling/of_colleague.html", {"access": access, "page": page, "now": now})
