"""The audit: what was decided, by whom, from what to what; and that nobody can take it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, text, update
from sqlmodel import Session

from aggregator.flows import editorial
from aggregator.flows.catalogue import Declared, Keeper
from aggregator.flows.desk_wire import ACTS as MARKS
from aggregator.flows.desk_wire import mark
from aggregator.flows.partners import Terms, add_key, add_partner, revoke, set_webhook
from aggregator.flows.settings_audit import note_settings
from aggregator.flows.source_desk import ask_source, describe_source, identify_source, pause_source
from aggregator.flows.sources import add_sources, remove_source
from aggregator.model import SourceDraft
from aggregator.people import AuditRecord, Deed
from aggregator.rules.topics import Topic
from aggregator.settings import load, told
from aggregator.store import audit, sources
from aggregator.store.database import StoreError
from aggregator.store.tables_people import AUDIT
from aggregator.web.desk.audit import ACTS, KINDS
from tests.conftest import NOW
from tests.store.newsroom import keep_stories, says
from tests.web.desk_users import page, send, sign_in
from tests.web.newsroom import ALL, BRIEF, TALKS, Newsroom


def records(newsroom: Newsroom) -> list[AuditRecord]:
    """What was decided, the first first."""
    return newsroom.database.read_now(audit.newest)[::-1]


def acts(newsroom: Newsroom) -> list[str]:
    return [each.deed.act for each in records(newsroom)]


def changed(deed: Deed) -> dict[str, tuple[Any, Any]]:
    """What a deed changed, from what to what."""
    return {
        name: (deed.was.get(name), deed.became.get(name))
        for name in {**deed.was, **deed.became}
        if deed.was.get(name) != deed.became.get(name)
    }


async def test_the_road_of_a_brief_stands_in_the_audit(newsroom: Newsroom) -> None:
    keep_stories(newsroom.database, says("riyadh", "Talks in Riyadh"))
    about = (newsroom.database, newsroom.clock)
    await newsroom.brief()
    await newsroom.pick(1)
    await newsroom.publish()
    changed_text = BRIEF.replace("on Tuesday", "on Wednesday")
    await editorial.correct_brief(*about, "riyadh", changed_text, by="ben", why="The day was wrong.")
    await editorial.pick_story(*about, "riyadh", "p1", "1", by="ben", undo=True)
    await newsroom.withdraw()
    assert acts(newsroom) == [
        "brief.add", "brief.pick", "brief.publish", "brief.save", "brief.correct", "brief.unpick", "brief.withdraw",
    ]  # fmt: skip
    _, pick, publish, _, correct, unpick, withdraw = (each.deed for each in records(newsroom))
    assert (pick.by, pick.subject) == ("ada", "riyadh")
    assert changed(pick)["story"] == (None, "Talks in Riyadh")
    assert changed(publish)["state"] == ("draft", "published")
    assert (correct.by, correct.why) == ("ben", "The day was wrong.")
    assert changed(unpick)["role"] == ("source", None)
    assert (changed(withdraw)["state"], withdraw.why) == (("published", "withdrawn"), "It was wrong.")


async def test_what_changes_nothing_is_no_decision(newsroom: Newsroom) -> None:
    keep_stories(newsroom.database, says("riyadh"))
    await newsroom.brief()
    await newsroom.pick(1)
    before = len(records(newsroom))
    await newsroom.pick(1)
    await newsroom.brief()
    assert len(records(newsroom)) == before


async def test_a_decision_that_is_refused_leaves_no_record(newsroom: Newsroom) -> None:
    await newsroom.brief()
    before = len(records(newsroom))
    for wrong in ("nowhere", "riyadh"):
        with pytest.raises(Exception, match=r"no brief|never published"):
            await editorial.withdraw_brief(newsroom.database, newsroom.clock, wrong, by="ada", why="Because.")
    assert len(records(newsroom)) == before


async def test_what_is_decided_of_a_source_stands_in_the_audit(newsroom: Newsroom) -> None:
    about = (newsroom.database, newsroom.clock)
    await add_sources(*about, [SourceDraft("https://wire.example/feed", title="Wire")], by="ada")
    (source,) = newsroom.database.read_now(sources.all_sources)
    given = {"title": "The wire", "kind": "wire", "language": "fr", "rights": "", "reuse": "headline"}
    await describe_source(*about, source.id, **given, by="ada")
    await pause_source(*about, source.id, paused=True, by="ben")
    await pause_source(*about, source.id, paused=False, by="ben")
    await ask_source(*about, source.id, by="ben")
    await identify_source(*about, source.id, "link", by="ben")
    await remove_source(*about, source.id, by="ada")
    assert acts(newsroom) == [
        "source.add", "source.describe", "source.pause", "source.resume", "source.ask", "source.identify",
        "source.remove",
    ]  # fmt: skip
    added, described, paused, *_, identified, removed = (each.deed for each in records(newsroom))
    assert {each.deed.subject for each in records(newsroom)} == {"https://wire.example/feed"}
    assert changed(added)["title"] == (None, "Wire")
    assert changed(described) == {
        "title": ("Wire", "The wire"), "kind": ("news", "wire"), "language": (None, "fr"),
        "reuse": ("summary", "headline"),
    }  # fmt: skip
    assert changed(paused) == {"paused": (False, True)}
    assert changed(identified) == {"known by": ("id", "link")}
    assert changed(removed)["url"] == ("https://wire.example/feed", None)


async def test_what_is_agreed_with_a_partner_stands_in_the_audit_and_no_secret_does(
    newsroom: Newsroom,
) -> None:
    about = (newsroom.database, newsroom.clock)
    _, first = await add_partner(*about, "daily", Terms(("all",)), [ALL], by="cleo")
    second = await add_key(*about, "daily", name="second", by="cleo")
    secret = await set_webhook(*about, "daily", "https://daily.example/hook", by="cleo")
    await revoke(*about, "daily", "first", by="cleo")
    await revoke(*about, "daily", by="cleo")
    assert acts(newsroom) == [
        "partner.add", "partner.key.add", "partner.key.add", "partner.webhook", "partner.key.revoke",
        "partner.revoke",
    ]  # fmt: skip
    held = repr(records(newsroom))
    assert not [each for each in (first, second, secret) if each and each in held]


async def test_topics_events_and_settings_stand_in_the_audit(newsroom: Newsroom) -> None:
    about = (newsroom.database, newsroom.clock)
    keeper = Keeper(*about, Declared((TALKS,), (ALL,)))
    await keeper.define(Topic("grain", "Grain", any=("wheat",)), began=None, by="cleo")
    await keeper.define(
        Topic("grain", "Grain", any=("wheat", "corn")), began=keeper.held.began("topic", "grain"), by="ada"
    )
    keep_stories(newsroom.database, says("riyadh"))
    await mark(*about, 1, "spike", decided=0, why="Old news.", by="ada")
    said = told(load(None, {"WIREBRIEF_FETCH__PER_HOST": "3"}))
    assert await note_settings(*about, said)
    assert not await note_settings(*about, said), "nothing changed"
    assert await note_settings(*about, {**said, "fetch.per_host": "4"})
    assert acts(newsroom) == [
        "topic.define", "topic.define", "event.spike", "settings.change", "settings.change",
    ]  # fmt: skip
    _, topic, spike, _, settings = (each.deed for each in records(newsroom))
    assert changed(topic) == {"any": (["wheat"], ["wheat", "corn"])}
    assert (spike.subject, spike.why) == ("1", "Old news.")
    assert changed(settings) == {"fetch.per_host": ("3", "4")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WIREBRIEF_DATABASE", "postgresql://desk:hunter2@db/wire"),
        ("WIREBRIEF_ALARMS__WEBHOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="),
        ("WIREBRIEF_METRICS__TOKEN", "hunter2hunter2hunter2"),
        ("WIREBRIEF_OIDC__CLIENT_SECRET", "hunter2hunter2hunter2"),
    ],
)
def test_no_secret_of_the_settings_is_told(name: str, value: str) -> None:
    more: Mapping[str, str] = {
        "WIREBRIEF_OIDC__ISSUER": "https://id.example", "WIREBRIEF_OIDC__CLIENT_ID": "desk",
        "WIREBRIEF_OIDC__CLIENT_SECRET": "another", "WIREBRIEF_ALARMS__WEBHOOK": "https://watch.example/",
        "WIREBRIEF_ALARMS__WEBHOOK_SECRET": "whsec_YW5vdGhlcmFub3RoZXJhbm90aGVyYW5vdGhlcg==",
    }  # fmt: skip
    assert value not in repr(told(load(None, {**more, name: value})))


async def test_the_database_itself_refuses_to_change_the_audit(newsroom: Newsroom) -> None:
    await newsroom.brief()
    before = records(newsroom)

    def rewrite(session: Session) -> None:
        session.execute(update(AUDIT).values(by="somebody else"))

    def remove(session: Session) -> None:
        session.execute(delete(AUDIT))

    def empty(session: Session) -> None:
        session.execute(text("TRUNCATE audit" if not newsroom.database.is_sqlite else "DELETE FROM audit"))

    for work in (rewrite, remove, empty):
        with pytest.raises(StoreError, match="only added to"):
            newsroom.database.write_now(work)
    assert records(newsroom) == before


# At the desk


async def test_a_chief_reads_who_decided_what(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    keep_stories(newsroom.database, says("riyadh", "<b>Talks</b> & <script>"))
    await newsroom.brief()
    await newsroom.pick(1)
    await sign_in(newsroom, reader, "chief")
    await send(reader, "/desk/briefs/riyadh/publish", act="publish")
    seen = await page(reader, "/desk/audit")
    assert "cleo-chief" in seen
    assert "brief: published" in seen
    assert "<del>draft</del> <ins>published</ins>" in seen
    raw = (await reader.get("/desk/audit")).text
    assert "<b>Talks" not in raw
    by_ada = await page(reader, "/desk/audit?by=ada")
    assert "brief: a source picked" in by_ada
    assert "brief: published" not in by_ada
    assert "Nothing of that was decided yet." in await page(reader, "/desk/audit?act=partner")
    assert "a source picked" in await page(reader, "/desk/audit?act=brief&subject=riyadh")
    assert "a source picked" not in await page(reader, "/desk/audit?subject=elsewhere")


async def test_the_audit_goes_on_page_by_page(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    def many(session: Session) -> None:
        for number in range(250):
            audit.add(session, Deed("ada", "brief.save", f"b{number}"), NOW)

    newsroom.database.write_now(many)
    await sign_in(newsroom, reader, "chief")
    seen, where = set[str](), "/desk/audit"
    for _ in range(3):
        shown = (await reader.get(where)).text
        seen |= {f"b{number}" for number in range(250) if f">b{number}</a>" in shown}
        at = shown.find("/desk/audit?by=&amp;act=&amp;subject=&amp;before=")
        where = shown[at:].partition('"')[0].replace("&amp;", "&") if at >= 0 else ""
    assert len(seen) == 250
    assert where == ""


@pytest.mark.parametrize("before", ["x", "²", "-1", "9" * 40, "0"])
async def test_an_address_that_was_tampered_with_is_read_as_far_as_it_can_be(
    newsroom: Newsroom, reader: httpx.AsyncClient, before: str
) -> None:
    await sign_in(newsroom, reader, "chief")
    assert (await reader.get("/desk/audit", params={"before": before})).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_who_decides_for_no_newsroom_does_not_read_it(
    newsroom: Newsroom, reader: httpx.AsyncClient, role: str
) -> None:
    await sign_in(newsroom, reader, role)
    assert (await reader.get("/desk/audit")).status_code == 403
    assert 'href="/desk/audit"' not in (await reader.get("/desk/today")).text


def test_every_act_that_the_program_writes_down_is_said_in_words() -> None:
    flows = Path(editorial.__file__).parent
    written = "".join(path.read_text(encoding="utf-8") for path in sorted(flows.glob("*.py")))
    literal = set(re.findall(rf'"((?:{"|".join(KINDS)})(?:[.][a-z_-]+)+)"', written))
    assert {"brief.pick", "source.add", "partner.key.add", "account.role", "key.add"} <= literal
    made = {f"brief.{verb}" for verb in editorial._VERBS.values()} | {f"event.{act}" for act in MARKS}
    assert sorted((literal | made) - set(ACTS)) == []
    assert {act.partition(".")[0] for act in ACTS} == set(KINDS)
