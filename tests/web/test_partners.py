"""Partners: with a key of their own, to what was agreed, as often as was agreed; and it is known what they took."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from aggregator.flows.partners import Terms, add_key, add_partner, revoke
from aggregator.model import Reuse
from aggregator.rules.channels import Channel
from aggregator.store import partners, sources
from feeds.read import parse
from tests.store.newsroom import follow, heard, record, says
from tests.web.newsroom import ALL, BRIEFS, Newsroom, lost

PAID = Channel("paid", "For partners", is_public=False)
ID = "tag:wirebrief.example,2025-01-01:brief/riyadh"


@pytest.fixture
async def office(newsroom: Newsroom) -> Newsroom:
    """A newsroom with a channel for partners, a brief and two stories."""
    newsroom.channels = (ALL, BRIEFS, PAID)
    (source,) = follow(newsroom.database, "https://wire.example/feed", title="Harbour Wire")
    record(
        newsroom.database,
        heard(source, says("1", summary="They met."), says("2", "Les pourparlers", language="fr")),
    )
    await newsroom.brief()
    await newsroom.publish()
    return newsroom


async def partner(newsroom: Newsroom, name: str = "daily", *channels: str, **terms: Any) -> str:
    """A partner; its key."""
    terms = {"channels": channels or ("paid", "all"), **terms}
    return (
        await add_partner(
            newsroom.database, newsroom.clock, name, Terms(**terms), newsroom.channels, by="ada"
        )
    )[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(key: str, name: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()}


def took(newsroom: Newsroom, name: str = "daily") -> dict[str, int]:
    """What a partner has, by entry id."""
    known = newsroom.database.read_now(lambda s: partners.named(s, name))
    assert known is not None
    ids = [ID, "urn:1", "urn:2"]
    return newsroom.database.read_now(lambda s: partners.taken_by(s, known.id, ids))


# A channel for partners


async def test_a_channel_for_partners_is_closed_to_others(office: Newsroom) -> None:
    async with office.client() as reader:
        nobody = await reader.get("/channels/paid.atom")
        wrong = await reader.get("/channels/paid.atom", headers=bearer("wrong"))
        headed = await reader.head("/channels/paid.atom")
    assert (nobody.status_code, wrong.status_code, headed.status_code) == (401, 401, 401)
    assert nobody.headers["www-authenticate"].startswith('Basic realm="wirebrief"')
    assert "Talks" not in nobody.text + wrong.text
    assert headed.content == b""


async def test_a_partner_reads_its_channel_with_a_key_or_as_a_password(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        for headers in (bearer(key), basic(key), basic(key, "")):
            response = await reader.get("/channels/paid.rss", headers=headers)
            assert response.status_code == 200
            assert response.headers["cache-control"].startswith("private, max-age=60")
            assert response.headers["vary"] == "Accept-Encoding, Authorization"
        again = await reader.get(
            "/channels/paid.rss", headers=bearer(key) | {"If-None-Match": response.headers["etag"]}
        )
    assert again.status_code == 304


async def test_a_partner_reads_no_channel_that_was_not_agreed(office: Newsroom) -> None:
    key = await partner(office, "daily", "all")
    async with office.client() as reader:
        response = await reader.get("/channels/paid.atom", headers=bearer(key))
        public = await reader.get("/channels/briefs.atom", headers=bearer(key))
    assert response.status_code == 403
    assert response.text == "The channel “paid” is not among those agreed with daily.\n"
    assert public.status_code == 200


@pytest.mark.parametrize("what", ["the key", "the partner", "its time"])
async def test_a_key_that_was_taken_back_opens_nothing(office: Newsroom, what: str) -> None:
    key = await partner(office)
    other = await add_key(
        office.database, office.clock, "daily", name="second", lifetime=timedelta(days=1), by="ada"
    )
    if what == "the key":
        await revoke(office.database, office.clock, "daily", "second", by="ada")
    elif what == "the partner":
        await revoke(office.database, office.clock, "daily", by="ada")
    else:
        office.clock.move(timedelta(days=2))
    async with office.client() as reader:
        taken_back = await reader.get("/channels/paid.atom", headers=bearer(other))
        first = await reader.get("/channels/paid.atom", headers=bearer(key))
    assert taken_back.status_code == 401
    assert first.status_code == (401 if what == "the partner" else 200)


async def test_a_partner_that_asks_too_often_is_told_when_to_come_again(office: Newsroom) -> None:
    key = await partner(office, per_minute=2)
    async with office.client() as reader:
        answers = [await reader.get("/channels/paid.atom", headers=bearer(key)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "30"
        api = await reader.get("/api/partner", headers=bearer(key))
        assert (api.status_code, api.headers["retry-after"]) == (429, "30")
        office.clock.move(timedelta(seconds=30))
        assert (await reader.get("/channels/paid.atom", headers=bearer(key))).status_code == 200


async def test_a_partner_is_given_a_document_of_what_was_agreed(office: Newsroom) -> None:
    key = await partner(office, languages=("en",), reuse=Reuse.HEADLINE)
    async with office.client() as reader:
        whole = await reader.get("/channels/all.atom")
        response = await reader.get("/channels/all.atom", headers=bearer(key))
        again = await reader.get(
            "/channels/all.atom", headers=bearer(key) | {"If-None-Match": response.headers["etag"]}
        )
        archive = await reader.get("/channels/all/archive/1-abc.atom", headers=bearer(key))
    feed = parse(response.content)
    assert {entry.id for entry in feed.entries} == {ID, "urn:1"}
    assert "They met." in whole.text
    assert "They met." not in response.text
    assert again.status_code == 304
    assert archive.status_code == 403
    assert took(office) == {ID: 1, "urn:1": 1}


async def test_a_document_of_what_was_agreed_follows_the_whole_one(office: Newsroom) -> None:
    key = await partner(office, languages=("en",))
    async with office.client() as reader:
        await reader.get("/channels/all.json", headers=bearer(key))
        await office.withdraw()
        response = await reader.get("/channels/all.json", headers=bearer(key))
    assert "Withdrawn: Talks open" in response.text
    assert took(office)[ID] == 2


# Who has which version


async def test_what_a_partner_fetched_is_on_record_and_what_it_did_not_is_not(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        await reader.head("/channels/paid.atom", headers=bearer(key))
        assert took(office) == {}
        first = await reader.get("/channels/paid.atom", headers=bearer(key))
        assert took(office) == {ID: 1, "urn:1": 1, "urn:2": 1}
        await office.withdraw()
        assert took(office)[ID] == 1
        await reader.get(
            "/channels/paid.atom", headers=bearer(key) | {"If-None-Match": first.headers["etag"]}
        )
    assert took(office)[ID] == 2


async def test_an_editor_asks_who_has_a_brief(office: Newsroom) -> None:
    key = await partner(office)
    await partner(office, "weekly")
    await office.key()
    async with office.client() as reader:
        await reader.get("/api/channels/paid/changes", headers=bearer(key))
        ada = await reader.get("/api/briefs/riyadh/reach", headers=bearer("ada-s-key"))
        theirs = await reader.get("/api/briefs/riyadh/reach", headers=bearer(key))
    said = ada.json()
    assert (said["id"], said["revision"], said["not_yet"]) == (ID, 1, ["weekly"])
    assert [(one["partner"], one["is_current"], one["via"]) for one in said["took"]] == [
        ("daily", True, "api")
    ]
    assert theirs.status_code == 401


async def test_a_partner_sees_what_it_used(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        first = await reader.get("/channels/paid.atom", headers=bearer(key))
        await reader.get(
            "/channels/paid.atom", headers=bearer(key) | {"If-None-Match": first.headers["etag"]}
        )
        await reader.get("/api/channels/paid/changes", headers=bearer(key))
        used = (await reader.get("/api/partner/usage", headers=bearer(key))).json()
    rows = {row["via"]: row for row in used}
    assert (rows["feed"]["requests"], rows["feed"]["unchanged"], rows["feed"]["entries"]) == (2, 1, 3)
    assert rows["feed"]["bytes"] == len(first.content)
    assert (rows["api"]["requests"], rows["api"]["entries"]) == (1, 3)


# The API


async def test_a_partner_reads_what_was_agreed(office: Newsroom) -> None:
    key = await partner(office, title="The Daily", topics=("talks",), per_minute=5)
    async with office.client() as reader:
        said = (await reader.get("/api/partner", headers=bearer(key))).json()
        listed = (await reader.get("/api/channels", headers=bearer(key))).json()
    assert (said["title"], said["topics"], said["reuse"], said["per_minute"]) == (
        "The Daily",
        ["talks"],
        "full",
        5,
    )
    assert [channel["slug"] for channel in said["channels"]] == ["all", "paid"]
    assert listed == said["channels"]
    assert listed[1]["formats"]["ninjs"] == "https://harbour.example/channels/paid.ninjs"
    assert listed[1]["changes"] == "https://harbour.example/api/channels/paid/changes"


@pytest.mark.parametrize("format", ["json", "ninjs"])
async def test_changes_come_page_by_page_in_the_form_asked_for(office: Newsroom, format: str) -> None:
    key = await partner(office)
    async with office.client() as reader:
        url = f"/api/channels/paid/changes?limit=2&format={format}"
        first = (await reader.get(url, headers=bearer(key))).json()
        assert (first["more"], len(first["changes"])) == (True, 2)
        second = await reader.get(f"{url}&since={first['next']}", headers=bearer(key))
    assert second.headers["x-ratelimit-remaining"] == "58"
    last = second.json()
    assert (last["more"], len(last["changes"])) == (False, 1)
    every = first["changes"] + last["changes"]
    assert {one["op"] for one in every} == {"put"}
    name = "id" if format == "json" else "uri"
    assert {one["entry"][name] for one in every} == {ID, "urn:1", "urn:2"}


async def test_a_withdrawal_is_a_change_that_says_why(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        before = (await reader.get("/api/channels/paid/changes", headers=bearer(key))).json()
        await office.withdraw(why="It was not so.")
        url = f"/api/channels/paid/changes?since={before['next']}"
        (one,) = (await reader.get(url, headers=bearer(key))).json()["changes"]
    assert (one["op"], one["id"], one["why"], one["revision"]) == ("withdraw", ID, "It was not so.", 2)
    assert one["entry"]["_wirebrief"]["withdrawn"] is True


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/channels/nope/changes", 404, "There is no channel 'nope' for this key."),
        ("/api/channels/briefs/changes", 404, "There is no channel 'briefs' for this key."),
        ("/api/channels/paid/changes?since=999", 400, "since = 999 was never given out here"),
        ("/api/channels/paid/changes?since=-1", 400, "since cannot be used"),
        ("/api/channels/paid/changes?since=99999999999999999999", 400, "since cannot be used"),
        ("/api/channels/paid/changes?limit=0", 400, "limit cannot be used"),
        ("/api/channels/paid/changes?format=xml", 400, "format cannot be used"),
    ],
)
async def test_a_question_that_cannot_be_answered_says_what_to_ask(
    office: Newsroom, path: str, status: int, said: str
) -> None:
    key = await partner(office)
    async with office.client() as reader:
        response = await reader.get(path, headers=bearer(key))
    assert response.status_code == status
    assert response.json()["error"].startswith(said)


async def test_the_desk_reads_every_channel_and_is_no_partner(office: Newsroom) -> None:
    await office.key()
    async with office.client() as reader:
        listed = (await reader.get("/api/channels", headers=bearer("ada-s-key"))).json()
        changes = await reader.get("/api/channels/briefs/changes", headers=bearer("ada-s-key"))
        me = await reader.get("/api/partner", headers=bearer("ada-s-key"))
    assert [channel["slug"] for channel in listed] == ["all", "briefs", "paid"]
    assert len(changes.json()["changes"]) == 1
    assert (me.status_code, me.json()["error"][:20]) == (403, "This is for partners")


async def test_a_key_of_a_partner_decides_nothing_at_the_desk(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        for method, path in (("GET", "/api/briefs"), ("POST", "/api/briefs/riyadh/publish")):
            assert (await reader.request(method, path, headers=bearer(key))).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic !!!", "Basic bm9uZQ==", "Digest x"])
async def test_no_key_is_no_key(office: Newsroom, header: str) -> None:
    async with office.client() as reader:
        for path in ("/api/channels", "/channels/paid.atom"):
            response = await reader.get(path, headers={"Authorization": header})
            assert response.status_code == 401


async def test_the_description_tells_partners_what_they_get(office: Newsroom) -> None:
    async with office.client() as reader:
        described = (await reader.get("/api/openapi.json")).json()
    schema = described["paths"]["/api/channels/{slug}/changes"]["get"]["responses"]["200"]
    name = schema["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(described["components"]["schemas"][name]["properties"]) == {
        "channel",
        "changes",
        "next",
        "more",
    }
    assert json.dumps(described)


# Moved, and past


async def test_a_channel_that_was_renamed_is_found_under_its_old_name(newsroom: Newsroom) -> None:
    newsroom.channels = (Channel("world", "World", formerly=("wire",)),)
    await newsroom.render()
    async with newsroom.client() as reader:
        old = await reader.get("/channels/wire.json")
        new = await reader.get("/channels/world.json")
    assert (old.status_code, old.headers["location"]) == (301, "https://harbour.example/channels/world.json")
    assert new.json()["_wirebrief"]["id"] == "tag:wirebrief.example,2025-01-01:channel/wire"


async def test_a_page_of_the_past_is_kept_for_ever_and_gone_once_it_is_replaced(newsroom: Newsroom) -> None:
    newsroom.channels = (Channel("all", "All", entries=1),)
    await newsroom.brief()
    await newsroom.publish()
    (source,) = follow(newsroom.database, "https://wire.example/feed")
    record(newsroom.database, heard(source, says("1", published=newsroom.clock.now)))
    await newsroom.render()
    async with newsroom.client() as reader:
        feed = parse((await reader.get("/channels/all.atom")).content)
        url = next(link.href for link in feed.links if link.rel == "prev-archive")
        page = await reader.get(url)
        assert page.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "American and Russian officials" in page.text
        assert (await reader.get(url, headers={"If-None-Match": page.headers["etag"]})).status_code == 304
        await newsroom.withdraw()
        gone = await reader.get(url)
        assert gone.status_code == 410
        assert gone.text.endswith("begins at https://harbour.example/channels/all.atom\n")
        assert (await reader.get("/channels/all/archive/7-abcdef.atom")).status_code == 404
        assert (await reader.post(url)).status_code == 405


async def test_partners_are_told_to_come_again_while_the_database_fails(office: Newsroom) -> None:
    key = await partner(office)
    async with office.client() as reader:
        with lost(office.database, "partner"):
            response = await reader.get("/channels/paid.atom", headers=bearer(key))
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


async def test_a_source_that_allows_its_whole_text_is_passed_on_whole(office: Newsroom) -> None:
    source = office.database.read_now(sources.all_sources)[0]
    office.database.write_now(lambda s: sources.allow(s, source.id, Reuse.NONE))
    await office.render()
    async with office.client() as reader:
        feed = parse((await reader.get("/channels/all.atom")).content)
    assert [entry.id for entry in feed.entries] == [ID]
