from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.work.jobs import Job
from tests.conftest import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def nothing() -> datetime | None:
    return None


JOB = Job("poll", nothing, rest=2 * SECOND, at_least_every=MINUTE)


def test_a_job_runs_when_something_is_due() -> None:
    assert JOB.next_run(NOW + 30 * SECOND, NOW) == NOW + 30 * SECOND


def test_a_job_rests_between_two_runs() -> None:
    assert JOB.next_run(NOW - MINUTE, NOW) == NOW + 2 * SECOND


def test_a_job_runs_now_and_then_even_when_nothing_is_known_to_be_due() -> None:
    assert JOB.next_run(None, NOW) == NOW + MINUTE
    assert JOB.next_run(NOW + 5 * MINUTE, NOW) == NOW + MINUTE


@given(st.none() | st.integers(-10_000, 10_000))
def test_a_job_never_runs_before_its_rest_nor_after_it_must(seconds: int | None) -> None:
    wanted = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert NOW + JOB.rest <= JOB.next_run(wanted, NOW) <= NOW + JOB.at_least_every
