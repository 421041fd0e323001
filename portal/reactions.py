"""What follows from what: the one table.

`at_once` happens in the change's own transaction, so that nothing stale leaves in the meantime;
`then` is done by the sweeper, each once, each in a transaction of its own. Reactions write rows;
what talks to the outside world takes those rows up.
"""

from apps.notices import reactions as notices
from apps.registration import reactions as registration
from apps.rooms import reactions as rooms
from apps.scheduling.events import on
from apps.scheduling.models import EventKind as Kind

on(
    Kind.BOOKED,
    then=[rooms.plan_room, registration.plan_registration, notices.plan_messages],
)
on(
    Kind.MOVED,
    at_once=[notices.withdraw_messages],
    then=[rooms.move_room, registration.move_registration, notices.replan_messages],
)
on(
    Kind.CANCELLED,
    at_once=[notices.withdraw_messages],
    then=[rooms.close_room, registration.withdraw_registration, notices.tell_cancelled],
)
on(Kind.PARTICIPANT_ADDED, then=[notices.tell_participant])
on(
    Kind.PARTICIPANT_REMOVED,
    at_once=[rooms.drop_seat, notices.withdraw_from_participant],
    then=[notices.tell_removed],
)
on(
    Kind.CONTACT_CHANGED,
    at_once=[notices.withdraw_from_participant],
    then=[notices.tell_participant],
)
on(Kind.LINK_RENEWED, at_once=[notices.withdraw_old_link], then=[notices.tell_participant])
on(Kind.LINK_REVOKED, at_once=[notices.withdraw_old_link])
on(Kind.ENDED, then=[rooms.close_room, registration.queue_registration])
on(Kind.NO_SHOW, then=[rooms.close_room, registration.drop_registration])
