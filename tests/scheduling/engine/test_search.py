"""Joint times, against the slow obvious model and by example."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scheduling.engine.openings import ALWAYS_OPEN, Dated, Openings, Weekly, open_bits, opening_rules
from apps.scheduling.engine.search import JointTime, Need, Pick, Question, Taken, joint_times, narrowed
from apps.scheduling.engine.units import WEEK, moment_of, unit_after, unit_at

from .model import Clock, Rules, slow_times

OSLO = "Europe/Oslo"
ADA, BERG, KARI, TOLK, DAHL, NESS = 1, 2, 3, 4, 5, 6
SPRING, AUTUMN, LEAP_DAY = date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29)
DAYS_THAT_MATTER = [SPRING, AUTUMN, LEAP_DAY, date(2027, 12, 31), date(2027, 6, 9)]


def local(text: str, fold: int = 0) -> int:
    return unit_at(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(OSLO), fold=fold))


def shown(unit: int) -> str:
    return moment_of(unit).astimezone(ZoneInfo(OSLO)).strftime("%Y-%m-%d %H:%M")


def is_open(question: Question, openings: dict[int, Openings], load, time: JointTime) -> bool:
    chosen = {n: one for n, one in enumerate(time.who) if one is not None}
    return joint_times(narrowed(question, time.start, chosen), openings, load) == [time]


def openings_of(rules: dict[int, Rules], zone: str = OSLO) -> dict[int, Openings]:
    return {
        one: ALWAYS_OPEN if rule.always else opening_rules(zone, rule.weekly, rule.dated, rule.closed)
        for one, rule in rules.items()
    }


def reading(taken: list[tuple[int, int, int]]) -> Callable[[int, int], Taken]:
    """Give only the rows that the search asks for, as the database does."""

    def load(begin: int, end: int) -> Taken:
        found: dict[int, list[tuple[int, int]]] = {}
        for who, start, stop in taken:
            if start < end and stop > begin:
                found.setdefault(who, []).append((start, stop))
        return found

    return load


def weekdays(start: int, end: int) -> Rules:
    return Rules(tuple(Weekly(day, start * 60, end * 60) for day in range(5)))


# --- against the model


@st.composite
def five_minutes(draw, most: int) -> int:
    return draw(st.integers(0, most // 5)) * 5


@st.composite
def some_rules(draw, around: date) -> Rules:
    if draw(st.integers(0, 5)) == 0:
        return Rules(always=True)
    near = st.integers(-2, 2).map(lambda days: around + timedelta(days=days))
    weekly = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(five_minutes(1435))
        end = start + 5 + draw(five_minutes(1435))  # up to a whole day, over midnight too
        valid = draw(st.sampled_from([(date.min, date.max), (around, date.max), (date.min, around)]))
        weekly.append(Weekly(draw(near).weekday(), start, end, *valid))
    dated = [
        Dated(draw(near), start, start + 5 + draw(five_minutes(1435)))
        for start in draw(st.lists(five_minutes(1435), max_size=2))
    ]
    closed = frozenset(draw(st.lists(near, max_size=1)))
    return Rules(tuple(weekly), tuple(dated), closed)


@st.composite
def cases(draw) -> tuple[Question, dict[int, Rules], list[tuple[int, int, int]]]:
    around = draw(st.sampled_from(DAYS_THAT_MATTER))
    people = [ADA, BERG, KARI, TOLK, DAHL]
    rules = {one: draw(some_rules(around)) for one in people if draw(st.integers(0, 9))}
    middle = unit_at(datetime(around.year, around.month, around.day, 1, tzinfo=UTC))
    first = middle + draw(st.integers(-300, 100))
    last = first + draw(st.integers(0, 300))
    taken = [
        (draw(st.sampled_from(people)), start, start + draw(st.integers(1, 40)))
        for start in draw(st.lists(st.integers(middle - 350, middle + 450), max_size=12))
    ]
    needs = []
    for n in range(draw(st.integers(1, 4))):
        candidates = tuple(draw(st.lists(st.sampled_from(people), max_size=4, unique=True)))
        needs.append(
            Need(
                f"role-{n}",
                candidates,
                required=draw(st.integers(0, 3)) > 0,
                buffered=draw(st.booleans()),
                usual=frozenset(draw(st.lists(st.sampled_from(people), max_size=1))),
            )
        )
    question = Question(
        tuple(needs),
        length=draw(st.sampled_from([1, 2, 3, 6, 7, 12, 40, 150])),
        first=first,
        last=last,
        earliest=first + draw(st.integers(-50, 50)),
        latest=last + draw(st.integers(-50, 50)),
        before=draw(st.integers(0, 3)),
        after=draw(st.integers(0, 3)),
        step=draw(st.sampled_from([1, 2, 3, 4, 6, 9, 12])),
        zone=OSLO,
    )
    return question, rules, taken


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_search_finds_what_a_slow_walk_along_the_clock_finds(case):
    question, rules, taken = case
    times = joint_times(question, openings_of(rules), reading(taken))
    assert [(time.start, time.who) for time in times] == slow_times(question, rules, taken)


@settings(max_examples=60, deadline=None)
@given(cases(), st.data())
def test_every_time_that_is_listed_is_open_and_no_other_is(case, data):
    question, rules, taken = case
    openings, load = openings_of(rules), reading(taken)
    listed = joint_times(question, openings, load)
    for time in listed[:5]:
        assert is_open(question, openings, load, time)
    starts = {time.start for time in listed}
    if question.first < question.last:
        start = data.draw(st.integers(question.first, question.last - 1))
        who = tuple(data.draw(st.sampled_from([*need.candidates, None])) for need in question.needs)
        if is_open(question, openings, load, JointTime(start, who)):
            assert start in starts


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 5))
def test_asking_for_fewer_times_gives_the_first_of_them(case, limit):
    question, rules, taken = case
    openings, load = openings_of(rules), reading(taken)
    assert joint_times(question, openings, load, limit=limit) == joint_times(question, openings, load)[:limit]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DAYS_THAT_MATTER), st.data())
def test_opening_bits_do_not_depend_on_where_the_stretch_begins(around, data):
    rules = data.draw(some_rules(around))
    openings = openings_of({BERG: rules})[BERG]
    middle = unit_at(datetime(around.year, around.month, around.day, tzinfo=UTC))
    first = middle - data.draw(st.integers(0, 400))
    last = middle + data.draw(st.integers(1, 400))
    clock = Clock(OSLO, first, last)
    bits = open_bits(openings, first, last)
    assert [bool(bits >> n & 1) for n in range(last - first)] == [
        clock.is_open(rules, unit) for unit in range(first, last)
    ]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([BERG, KARI]), st.integers(0, 8 * WEEK), st.integers(1, 200)), max_size=30))
def test_reading_a_week_at_a_time_changes_nothing(bookings):
    begin = local("2027-03-01 00:00")
    rules = {BERG: weekdays(8, 16), KARI: Rules(tuple(Weekly(day, 22 * 60, 30 * 60) for day in range(7)))}
    taken = [(who, begin + start, begin + start + length) for who, start, length in bookings]
    both = (Need("performer", (BERG, KARI)), Need("patient", (ADA,)))
    rules[ADA] = Rules(always=True)
    question = Question(both, 6, begin, begin + 6 * WEEK, begin, begin + 6 * WEEK, before=2, after=1)
    asked: list[tuple[int, int]] = []

    def load(first: int, last: int) -> Taken:
        asked.append((first, last))
        return reading(taken)(first, last)

    times = joint_times(question, openings_of(rules), load)
    assert len(asked) == 3
    day_by_day = [
        time
        for day in range(42)
        for time in joint_times(
            replace(question, first=begin + day * 288, last=begin + (day + 1) * 288), openings_of(rules), reading(taken)
        )
    ]
    assert times == day_by_day


# --- by example


def ask(needs: tuple[Need, ...], first: str, last: str, *, minutes: int = 30, **more: int) -> Question:
    begin, end = local(first), local(last)
    return Question(needs, minutes // 5, begin, end, earliest=begin, latest=end + 8 * WEEK, **more)


BERG_AND_ADA = (Need("performer", (BERG,)), Need("patient", (ADA,), buffered=False))


def test_berg_and_ada_meet_when_both_can():
    rules = {BERG: weekdays(9, 11), ADA: Rules(always=True)}
    taken = [(BERG, local("2027-03-01 09:30"), local("2027-03-01 10:00"))]
    question = ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-02 00:00")
    times = joint_times(question, openings_of(rules), reading(taken))
    assert [shown(time.start) for time in times] == [
        "2027-03-01 09:00",
        "2027-03-01 10:00",
        "2027-03-01 10:15",
        "2027-03-01 10:30",
    ]
    assert times[0].who == (BERG, ADA)


def test_what_ada_does_elsewhere_takes_her_time_too_but_no_buffer():
    rules = {BERG: weekdays(9, 11), ADA: Rules(always=True)}
    taken = [(ADA, local("2027-03-01 09:00"), local("2027-03-01 10:00"))]
    question = ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-02 00:00", before=3, after=3)
    times = joint_times(question, openings_of(rules), reading(taken))
    assert [shown(time.start) for time in times] == ["2027-03-01 10:00", "2027-03-01 10:15"]


def test_dr_berg_gives_time_before_and_after_within_the_opening_hours():
    rules = {BERG: weekdays(9, 10), ADA: Rules(always=True)}
    question = ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-02 00:00", before=3, after=2, step=1)
    times = joint_times(question, openings_of(rules), reading([]))
    assert [shown(time.start)[-5:] for time in times] == ["09:15", "09:20"]


def test_a_meeting_may_last_over_midnight_and_over_the_end_of_a_chunk():
    rules = {KARI: Rules((Weekly(6, 23 * 60, 26 * 60),))}
    question = ask((Need("nurse", (KARI,)),), "2027-03-01 00:00", "2027-03-15 00:00", minutes=180)
    assert [shown(time.start) for time in joint_times(question, openings_of(rules), reading([]))] == [
        "2027-03-07 23:00",
        "2027-03-14 23:00",
    ]


@pytest.mark.parametrize(
    ("night", "starts"),
    [
        ("2027-03-28", ["01:00", "01:30", "03:00", "03:30"]),  # two o'clock never comes
        ("2027-10-31", ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]),  # it comes twice
    ],
)
def test_a_night_watch_when_the_clock_changes(night, starts):
    rules = {KARI: Rules((Weekly(6, 60, 4 * 60),))}
    question = ask((Need("nurse", (KARI,)),), f"{night} 00:00", f"{night} 12:00", step=6)
    times = joint_times(question, openings_of(rules), reading([]))
    assert [shown(time.start)[-5:] for time in times] == starts


@pytest.mark.parametrize(
    ("night", "opens", "closes", "starts"),
    [
        ("2027-03-28", 150, 210, ["03:00"]),  # half past two is the jump itself: open from three
        ("2027-03-28", 60, 150, ["01:00", "01:30"]),  # and closed from three
        ("2027-10-31", 60, 150, ["01:00", "01:30", "02:00"]),  # closed when half past two comes the first time
        ("2027-10-31", 150, 180, ["02:30", "02:00", "02:30"]),  # open from the first half past two until three
    ],
)
def test_hours_that_begin_or_end_while_the_clock_changes(night, opens, closes, starts):
    rules = {KARI: Rules((Weekly(6, opens, closes),))}
    question = ask((Need("nurse", (KARI,)),), f"{night} 00:00", f"{night} 12:00", step=6)
    assert [shown(time.start)[-5:] for time in joint_times(question, openings_of(rules), reading([]))] == starts


def test_the_patient_has_to_stay_to_the_end():
    rules = {ADA: Rules(always=True)}
    taken = [(ADA, local("2027-03-01 09:45"), local("2027-03-02 00:00"))]
    question = ask(
        (Need("patient", (ADA,), buffered=False),), "2027-03-01 09:00", "2027-03-02 00:00", before=2, after=2
    )
    times = joint_times(question, openings_of(rules), reading(taken))
    assert [shown(time.start)[-5:] for time in times] == ["09:00", "09:15"]


def test_opening_hours_keep_their_wall_time_over_the_clock_change():
    question = ask(BERG_AND_ADA, "2027-03-26 00:00", "2027-03-30 00:00", minutes=60, step=12)
    times = joint_times(question, openings_of({BERG: weekdays(9, 10), ADA: Rules(always=True)}), reading([]))
    assert [moment_of(time.start).hour for time in times] == [8, 7]


def test_there_is_a_leap_day():
    question = ask(BERG_AND_ADA, "2028-02-28 00:00", "2028-03-02 00:00", minutes=60, step=12)
    times = joint_times(question, openings_of({BERG: weekdays(9, 10), ADA: Rules(always=True)}), reading([]))
    assert [shown(time.start)[:10] for time in times] == ["2028-02-28", "2028-02-29", "2028-03-01"]


def test_nobody_is_booked_on_a_public_holiday_and_the_night_shift_before_ends_at_midnight():
    christmas = frozenset({date(2027, 12, 25)})
    rules = {KARI: Rules((Weekly(4, 22 * 60, 30 * 60),), closed=christmas)}
    question = ask((Need("nurse", (KARI,)),), "2027-12-24 12:00", "2027-12-26 00:00", minutes=60, step=12)
    assert [shown(time.start)[-5:] for time in joint_times(question, openings_of(rules), reading([]))] == [
        "22:00",
        "23:00",
    ]


def test_of_a_team_the_usual_specialist_comes_first_then_the_order():
    rules = dict.fromkeys((BERG, DAHL, NESS), weekdays(9, 10))
    team = Need("specialist", (BERG, DAHL, NESS), usual=frozenset({NESS}))
    question = ask((team,), "2027-03-01 00:00", "2027-03-02 00:00")
    taken = [
        (NESS, local("2027-03-01 09:00"), local("2027-03-01 09:30")),
        (BERG, local("2027-03-01 09:00"), local("2027-03-01 09:15")),
    ]
    times = joint_times(question, openings_of(rules), reading(taken))
    assert [time.who for time in times] == [(DAHL,), (BERG,), (NESS,)]


def test_a_fair_team_sends_whoever_has_the_least_of_their_own_time_taken():
    rules = {BERG: weekdays(8, 16), DAHL: weekdays(8, 10)}
    team = Need("specialist", (BERG, DAHL), pick=Pick.FAIR)
    question = ask((team,), "2027-03-01 08:00", "2027-03-06 00:00")
    hour = [(one, local("2027-03-01 08:00"), local("2027-03-01 09:00")) for one in (BERG, DAHL)]
    first = joint_times(question, openings_of(rules), reading(hour), limit=1)
    assert first[0].who == (BERG,)  # an hour is more of Dahl's short days
    busier = [*hour, (BERG, local("2027-03-02 08:00"), local("2027-03-02 16:00"))]
    first = joint_times(question, openings_of(rules), reading(busier), limit=1)
    assert first[0].who == (DAHL,)


def test_asked_about_one_start_a_fair_team_sends_the_same_one():
    team = Need("specialist", (BERG, DAHL), pick=Pick.FAIR)
    openings = openings_of(dict.fromkeys((BERG, DAHL), weekdays(8, 16)))
    question = ask((team,), "2027-03-01 08:00", "2027-04-01 00:00")
    taken = reading([(BERG, local("2027-03-03 08:00"), local("2027-03-03 12:00"))])
    times = joint_times(question, openings, taken, limit=60)
    assert len(times) == 60
    for time in times:
        assert joint_times(narrowed(question, time.start, {}), openings, taken) == [time]


def test_nobody_fills_two_roles_of_one_appointment():
    rules = dict.fromkeys((BERG, DAHL), weekdays(9, 10))
    needs = (Need("surgeon", (BERG, DAHL)), Need("wound nurse", (BERG,)))
    question = ask(needs, "2027-03-01 09:00", "2027-03-01 09:10")
    assert [time.who for time in joint_times(question, openings_of(rules), reading([]))] == [(DAHL, BERG)]
    away = [(DAHL, local("2027-03-01 09:00"), local("2027-03-01 10:00"))]
    assert joint_times(question, openings_of(rules), reading(away)) == []


def test_an_optional_camera_comes_along_when_it_is_free_and_stops_nothing():
    camera = 9
    rules = {BERG: weekdays(9, 10), camera: Rules(always=True)}
    needs = (Need("camera", (camera,), required=False), Need("performer", (BERG,)))
    question = ask(needs, "2027-03-01 09:00", "2027-03-01 09:35", step=6)
    taken = [(camera, local("2027-03-01 09:00"), local("2027-03-01 09:30"))]
    assert [time.who for time in joint_times(question, openings_of(rules), reading(taken))] == [
        (None, BERG),
        (camera, BERG),
    ]


def test_nothing_is_offered_before_the_shortest_notice_or_beyond_the_horizon():
    question = replace(
        ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-05 00:00", minutes=60, step=12),
        earliest=unit_after(datetime(2027, 3, 1, 8, 0, 1, tzinfo=UTC)),
        latest=local("2027-03-03 09:00"),
    )
    times = joint_times(question, openings_of({BERG: weekdays(9, 10), ADA: Rules(always=True)}), reading([]))
    assert [shown(time.start) for time in times] == ["2027-03-02 09:00"]


def test_a_schedule_that_is_not_known_is_never_free():
    question = ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-05 00:00")
    assert joint_times(question, openings_of({BERG: weekdays(9, 10)}), reading([])) == []


def test_another_person_than_was_asked_for_is_refused_though_free():
    rules = {one: weekdays(9, 10) for one in (BERG, DAHL)} | {ADA: Rules(always=True)}
    question = ask(BERG_AND_ADA, "2027-03-01 00:00", "2027-03-02 00:00")
    nine = local("2027-03-01 09:00")
    assert is_open(question, openings_of(rules), reading([]), JointTime(nine, (BERG, ADA)))
    assert not is_open(question, openings_of(rules), reading([]), JointTime(nine, (DAHL, ADA)))
    assert not is_open(question, openings_of(rules), reading([]), JointTime(nine + 1, (BERG, ADA)))
    assert not is_open(question, openings_of(rules), reading([]), JointTime(nine, (BERG,)))
