"""The chief's page: what is open, what went out, which feeds ail, how fast the desk is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from aggregator.flows import editorial
from aggregator.store import briefs, checks
from aggregator.web.desk import plots
from aggregator.web.desk.today import hours, lasting, midnight
from aggregator.web.locales import Reading
from tests.conftest import NOW
from tests.store.newsroom import failed, follow, heard, keep_stories, record, says
from tests.web.desk_users import page, sign_in
from tests.web.newsroom import Newsroom


def found_checks(newsroom: Newsroom, *rows: list[Any]) -> None:
    """What was found in the brief."""
    one = newsroom.database.read_now(lambda s: briefs.named(s, "riyadh"))
    assert one is not None
    newsroom.database.write_now(lambda s: checks.put(s, one.id, one.revision.id, rows, now=NOW))


@pytest.mark.parametrize(
    ("role", "place"), [("viewer", "wire"), ("editor", "wire"), ("chief", "today"), ("admin", "today")]
)
async def test_a_chief_begins_with_the_day_and_everybody_else_with_the_wire(
    newsroom: Newsroom, reader: httpx.AsyncClient, role: str, place: str
) -> None:
    assert await sign_in(newsroom, reader, role) == "/desk"
    answer = await reader.get("/desk")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/{place}")


async def test_nobody_sees_the_day_who_is_not_signed_in(reader: httpx.AsyncClient) -> None:
    for path in ("/desk", "/desk/today"):
        assert "/desk/sign-in?next=" in (await reader.get(path)).headers["location"]


async def test_an_empty_newsroom_says_what_to_do(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert 'Readers have all that was written. <a href="/desk/briefs">Write the next brief</a>' in shown
    assert 'No feed is followed yet. <a href="/desk/sources">Add the first one</a>' in shown
    assert "Nothing is planned" in shown
    assert "Nothing was published yet today." in shown
    assert "Nothing came in during the last 24 hours." in shown
    assert "<svg" not in shown


async def test_a_viewer_sees_the_day_too(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sign_in(newsroom, reader, "viewer")
    assert "Briefs open" in await page(reader, "/desk/today")


async def test_briefs_and_their_checks_lead_to_the_paragraph(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    says_so = [
        "place",
        "p1",
        "Saudi Arabia",
        0,
        1,
        "Doha",
        ["https://w.example/1"],
        [],
        "The wire says Doha.",
    ]
    as_a_whole = ["link", "", "18/02", 0, 1, "", [], [], "The link leads nowhere yet."]
    found_checks(newsroom, says_so, as_a_whole)
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert "2 checks open" in shown
    assert (
        '<a href="/desk/briefs/riyadh?passage=p1#p1">Place, paragraph 1</a>: <span dir="auto">The wire says'
        in shown
    )
    assert '<a href="/desk/briefs/riyadh">Link</a>' in shown
    assert '<span class="badge">draft</span>' in shown


async def test_what_went_out_today_and_what_goes_out_next_stand_there(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    await newsroom.brief("Grain sails\n\n2025-02-18\n\nThe ships left.\n", slug="grain")
    at = newsroom.clock() + timedelta(hours=2)
    await editorial.publish_brief(newsroom.database, newsroom.clock, "grain", by="ada", at=at)
    await newsroom.withdraw()
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert "planned by ada" in shown
    assert "in 2 hours" in shown
    out = shown[shown.index('id="out"') : shown.index('id="feeds"')]
    assert re.search(r">withdrawn</span>.*It was wrong\..*>published</span>", out)
    newsroom.clock.move(timedelta(days=1))
    assert "Nothing was published yet today." in await page(reader, "/desk/today")


async def test_the_day_is_the_readers_own(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    newsroom.clock.now = NOW.replace(hour=23, minute=30)
    await newsroom.brief()
    await newsroom.publish()
    newsroom.clock.move(timedelta(hours=1))
    await sign_in(newsroom, reader, zone="America/New_York")
    shown = await page(reader, "/desk/today")
    assert ">18:30</time>" in shown
    assert "Nothing was published yet today." not in shown


async def test_feeds_that_fail_are_named_without_their_address(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    ids = follow(newsroom.database, *(f"https://w{n}.example/feed?key=secret" for n in range(14)))
    record(newsroom.database, *(failed(id, next_due=NOW + timedelta(hours=1)) for id in ids))
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert f'href="/desk/sources/{ids[0]}">w0.example</a>' in shown
    assert "never answered" in shown
    assert "2 more</a>" in shown
    assert "secret" not in shown


async def test_waits_are_shown_with_what_they_mean(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    (source,) = follow(newsroom.database, "https://wire.example/feed", now=NOW - timedelta(hours=5))
    record(
        newsroom.database,
        heard(source, says("1", published=NOW - timedelta(minutes=3)), says("2", language="fr")),
    )
    newsroom.clock.move(timedelta(seconds=10))
    await newsroom.render()
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert "From the wire to readers" in shown
    assert "the moment a channel’s document stood ready with it" in shown
    assert "<dd>12 s</dd>" in shown
    assert "<dd>3 min</dd>" in shown
    assert "Measured over 2 stories." in shown


async def test_plots_have_their_numbers_beside_them(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    keep_stories(newsroom.database, says("1"), says("2", language="fr"), says("3"), says("4", language=None))
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    assert 'role="img" aria-label="Stories that came in each of the last 24 hours, at most 4 in one"' in shown
    assert shown.count("<rect") == 24 + 3
    table = shown[shown.index("In figures") :]
    assert len(re.findall(r'<tr><th scope="row"><time', table)) == 24
    assert re.search(r'<th scope="row">English</th>.*<span class="count">2</span>', table)
    assert "unknown" in table
    assert " style=" not in shown


def test_the_hours_are_full_ones_where_the_reader_is() -> None:
    now = datetime(2025, 2, 18, 9, 10, tzinfo=UTC)
    edges = hours(now, ZoneInfo("Asia/Kolkata"))
    assert (len(edges), edges[0].minute, edges[-1]) == (25, 30, datetime(2025, 2, 18, 9, 30, tzinfo=UTC))
    assert edges[-2] <= now < edges[-1]
    assert midnight(now, ZoneInfo("America/New_York")) == datetime(2025, 2, 18, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "says"),
    [
        (timedelta(milliseconds=200), "less than 1 s"),
        (timedelta(seconds=48), "48 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=200), "3 min 20 s"),
        (timedelta(hours=2, minutes=5, seconds=9), "2 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_a_length_of_time_is_said_in_two_units(time: timedelta, says: str) -> None:
    assert lasting(time, Reading()) == says


def test_bars_are_to_one_scale_and_something_is_never_nothing() -> None:
    plot = plots.columns([("a", 1000), ("b", 1), ("c", 0)])
    assert [bar.height for bar in plot.bars] == [100, plots.LOWEST, 0]
    assert [bar.y for bar in plot.bars] == [0, 100 - plots.LOWEST, 100]
    assert (plot.highest, plot.total, plot.width) == (1000, 1001, 30)
    assert plots.rows([]).total == 0
