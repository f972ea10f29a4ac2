"""Alarms at the desk: on the day, on the list of the sources, on a source's page; and how long stories are kept."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from aggregator.flows.alarms import AlarmSettings, watch_sources
from aggregator.store import sources
from tests.store.newsroom import failed, follow, heard, record, says, unchanged
from tests.web.desk_users import page, plain, send, sign_in
from tests.web.newsroom import Newsroom

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def silent_and_gone(newsroom: Newsroom) -> tuple[int, int]:
    """Two sources about which an alarm stands, and one that is well."""
    database, clock = newsroom.database, newsroom.clock
    urls = [f"https://{name}.example/feed" for name in ("quiet", "gone", "well")]
    quiet, gone, well = follow(database, *urls)
    record(database, heard(quiet, *(says(str(n), published=clock() - HOUR * n) for n in range(12))))
    clock.move(2 * DAY)
    record(database, unchanged(quiet, at=clock()), failed(gone, at=clock(), kind="gone"))
    record(database, heard(well, at=clock()))
    await watch_sources(database, clock, AlarmSettings())
    return quiet, gone


def rows(shown: str) -> list[str]:
    """The sources of a list, in its order."""
    return re.findall(r'<h2><a href="[^"]+"><bdi>([^<]+)</bdi>', shown)


async def test_the_list_shows_the_alarms_and_only_them_where_asked(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await silent_and_gone(newsroom)
    await sign_in(newsroom, reader, "editor")
    shown = await page(reader, "/desk/sources?show=alarm")
    assert rows(shown) == ["gone.example", "quiet.example"]
    assert '<span class="badge alarm">alarm: silent</span>' in shown
    assert '<span class="badge alarm">alarm: failing</span>' in shown
    assert re.search(r'show=alarm" aria-current="true">Alarm <span class="count">2</span>', shown)
    assert len(rows(await page(reader, "/desk/sources"))) == 3


async def test_the_page_of_a_source_tells_its_alarms_and_when_they_were_over(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    quiet, _ = await silent_and_gone(newsroom)
    await sign_in(newsroom, reader, "viewer")
    shown = await page(reader, f"/desk/sources/{quiet}")
    assert '<h2 id="alarms">Alarms</h2>' in shown
    assert "It answers, but gave no story for 2 days; it hardly ever lets" in shown
    record(newsroom.database, heard(quiet, says("new", published=newsroom.clock()), at=newsroom.clock()))
    await watch_sources(newsroom.database, newsroom.clock, AlarmSettings())
    shown = await page(reader, f"/desk/sources/{quiet}")
    assert 'class="badge alarm"' not in shown
    assert '<li class="over">' in shown


async def test_the_day_begins_its_list_of_feeds_with_the_alarms_and_names_each_once(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    quiet, gone = await silent_and_gone(newsroom)
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/today")
    part = shown[shown.index('id="feeds"') : shown.index('id="speed"')]
    assert 'Feeds that need a look <span class="count">2</span>' in part
    assert re.findall(r"/desk/sources/(\d+)", part) == [str(gone), str(quiet)]
    assert part.count('class="badge alarm"') == 2


async def test_an_editor_says_how_long_the_stories_of_a_source_are_kept(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    (source,) = follow(newsroom.database, "https://w.example/feed")
    await sign_in(newsroom, reader, "editor")
    path = f"/desk/sources/{source}"
    assert "Empty for ever, as the settings say." in await page(reader, path)
    answer = await send(reader, f"{path}/keep", days="90")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?told=keep")
    shown = await page(reader, f"{path}?told=keep")
    assert "Saved. What is older goes within hours." in shown
    assert 'name="days" value="90"' in shown
    # A mistake is shown with what was typed; nothing is changed.
    answer = await send(reader, f"{path}/keep", days="2")
    assert answer.status_code == 400
    assert "Write a number of days, 7 or more." in plain(answer)
    assert 'name="days" value="2"' in plain(answer)
    await send(reader, f"{path}/keep", days="")
    found = newsroom.database.read_now(lambda s: sources.by_id(s, source))
    assert found is not None
    assert found.keep_days is None


async def test_a_viewer_decides_nothing_about_that(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    (source,) = follow(newsroom.database, "https://w.example/feed")
    await sign_in(newsroom, reader, "viewer")
    assert "/keep" not in await page(reader, f"/desk/sources/{source}")
    assert (await send(reader, f"/desk/sources/{source}/keep", days="90")).status_code == 403
