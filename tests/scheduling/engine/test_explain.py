"""Why there is no time, and what would open one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from apps.scheduling.engine.explain import ChangeKind, Leeway, Reason, why_no_time
from apps.scheduling.engine.openings import ALWAYS_OPEN, opening_rules
from apps.scheduling.engine.search import Need, Question, joint_times

from .test_search import ADA, BERG, DAHL, KARI, TOLK, Rules, ask, cases, local, openings_of, reading, shown, weekdays

MONDAY, TUESDAY, NEXT_MONDAY = "2027-03-01 00:00", "2027-03-02 00:00", "2027-03-08 00:00"
RULES = {KARI: weekdays(8, 16), BERG: weekdays(9, 12), TOLK: weekdays(10, 14), ADA: Rules(always=True)}
NEEDS = (Need("nurse", (KARI,)), Need("specialist", (BERG,)), Need("interpreter", (TOLK,)), Need("patient", (ADA,)))


def day(one: int, start: str, end: str, on: str = "2027-03-01") -> tuple[int, int, int]:
    return one, local(f"{on} {start}"), local(f"{on} {end}")


def why(taken: list[tuple[int, int, int]], leeway: Leeway = Leeway(), question: Question | None = None, rules=RULES):  # noqa: B008
    return why_no_time(question or ask(NEEDS, MONDAY, TUESDAY), openings_of(rules), reading(taken), leeway)


def test_there_is_nothing_to_explain_when_there_is_a_time():
    assert why([]) is None


def test_an_interpreter_who_is_away_is_named_with_the_day_she_is_free_again():
    answer = why(
        [(TOLK, local(MONDAY), local("2027-03-04 00:00"))], Leeway(without=frozenset({2}), until=local(NEXT_MONDAY))
    )
    assert answer.reason is Reason.ALL_TAKEN
    assert [(block.role, block.reason, shown(block.free_from)) for block in answer.blocks] == [
        ("interpreter", Reason.ALL_TAKEN, "2027-03-04 10:00")
    ]
    without, later = answer.changes
    assert (without.kind, without.need, without.count) == (ChangeKind.WITHOUT, 2, 11)
    assert (shown(without.first.start), without.first.who) == ("2027-03-01 09:00", (KARI, BERG, None, ADA))
    assert (later.kind, shown(later.first.start)) == (ChangeKind.LATER, "2027-03-04 10:00")


def test_those_who_can_but_not_together_are_named():
    answer = why([day(BERG, "10:00", "12:00")])
    assert answer.reason is Reason.NOT_TOGETHER
    assert {block.role for block in answer.blocks} == {"specialist", "interpreter"}


def test_two_who_stand_in_the_way_at_once_are_both_named():
    mornings = {KARI: weekdays(8, 9), BERG: weekdays(9, 10), TOLK: weekdays(10, 11), ADA: Rules(always=True)}
    answer = why([], rules=mornings)
    assert {block.role for block in answer.blocks} == {"nurse", "specialist", "interpreter"}


def test_a_shorter_meeting_is_offered_first_and_no_shorter_than_needed():
    question = ask(NEEDS, MONDAY, TUESDAY, minutes=60)
    leeway = Leeway(shorter=(3, 6, 9), others=((), (DAHL,), (), ()), until=local(NEXT_MONDAY))
    rules = RULES | {DAHL: weekdays(8, 16)}
    answer = why([day(BERG, "10:30", "12:00")], leeway, question, rules)
    assert [change.kind for change in answer.changes] == [ChangeKind.SHORTER, ChangeKind.OTHER_PERSON, ChangeKind.LATER]
    assert answer.changes[0].length == 6
    assert answer.changes[1].first.who == (KARI, DAHL, TOLK, ADA)


def test_an_empty_role_and_missing_opening_hours_are_told_apart_from_a_full_day():
    assert why([], question=ask((Need("nurse", ()),), MONDAY, TUESDAY)).blocks[0].reason is Reason.NOBODY
    saturday = ask((Need("nurse", (KARI,)),), "2027-03-06 00:00", NEXT_MONDAY)
    answer = why([], Leeway(until=local("2027-03-15 00:00")), saturday)
    assert answer.blocks[0].reason is Reason.NO_OPENINGS
    assert shown(answer.blocks[0].free_from) == "2027-03-08 08:00"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"earliest": local(TUESDAY)}, Reason.TOO_SOON),
        ({"latest": local(MONDAY)}, Reason.TOO_FAR),
    ],
)
def test_a_window_outside_notice_and_horizon_blames_nobody(limits, reason):
    answer = why([], question=replace(ask(NEEDS, MONDAY, TUESDAY), **limits))
    assert (answer.reason, answer.blocks) == (reason, ())


def test_a_wish_for_today_is_answered_with_the_first_time_after_the_notice():
    question = replace(ask(NEEDS, MONDAY, TUESDAY), earliest=local("2027-03-03 00:00"), latest=local(NEXT_MONDAY))
    answer = why([], Leeway(until=local(NEXT_MONDAY)), question)
    assert shown(answer.changes[0].first.start) == "2027-03-03 10:00"


@settings(max_examples=60, deadline=None)
@given(cases())
def test_an_explanation_is_given_exactly_when_nothing_is_found_and_its_changes_are_true(case):
    question, rules, taken = case
    openings, load = openings_of(rules), reading(taken)
    required = frozenset(n for n, need in enumerate(question.needs) if need.required)
    answer = why_no_time(question, openings, load, Leeway(shorter=(1, 2), without=required, until=question.last + 200))
    assert (answer is None) == bool(joint_times(question, openings, load, limit=1))
    for change in answer.changes if answer else ():
        if change.kind is ChangeKind.SHORTER:
            times = joint_times(replace(question, length=change.length), openings, load)
        elif change.kind is ChangeKind.WITHOUT:
            rest = tuple(need for n, need in enumerate(question.needs) if n != change.need)
            times = joint_times(replace(question, needs=rest), openings, load)
        else:
            times = joint_times(replace(question, first=question.last, last=question.last + 200), openings, load)
        assert (change.first.start, change.count) == (times[0].start, len(times))


def test_nothing_is_said_about_what_keeps_somebody():
    rules = {BERG: opening_rules("Europe/Oslo", RULES[BERG].weekly), ADA: ALWAYS_OPEN}
    question = ask((Need("specialist", (BERG,)),), MONDAY, TUESDAY)
    on_leave = why_no_time(question, rules, reading([(BERG, local(MONDAY), local(TUESDAY))]), Leeway())
    booked_up = why_no_time(
        question, rules, reading([day(BERG, "09:00", "10:35"), day(BERG, "10:40", "12:00")]), Leeway()
    )
    assert on_leave == booked_up
