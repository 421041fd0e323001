"""The JSON API at /api/v1/: one router an app, composed here. Its description is /api/v1/openapi.json."""

from apps.catalogue.api import router as catalogue
from apps.common.api import ProblemApi, known_parameters
from apps.notices.api import router as notices
from apps.organisations.api import acts_as
from apps.organisations.api import router as organisations
from apps.organisations.repeating import repeatable
from apps.patients.api import router as patients
from apps.registration.api import router as registration
from apps.rooms.api import router as rooms
from apps.scheduling.api import router as scheduling

DESCRIPTION = """
Everything that the pages do, for other programs. A key is made by `manage.py create_api_key --user EMAIL` and sent as
`Authorization: Bearer …`; it opens what its user may do, in the unit named by the header `X-Unit` or else her first (`GET /units`).
Send an `Idempotency-Key` with every POST, and a request that is sent twice takes effect once.
Errors are problem details (RFC 9457), in the language of `Accept-Language` (nb, nn, en; se where it is translated).

A first booking: `GET /service-types`, `POST /patients/search`, `POST /open-times`, `POST /appointments`. Messages, the
registration and the video room follow from it a moment later, not in the same answer.
"""

api = ProblemApi(title="Videotime", version="1", description=DESCRIPTION, auth=acts_as, docs_url=None)
api.add_decorator(known_parameters, mode="view")
api.add_decorator(repeatable, mode="view")
for router in (organisations, catalogue, patients, scheduling, rooms, notices, registration):
    api.add_router("", router)
