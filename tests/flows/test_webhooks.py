"""Partners are told what was published, corrected and withdrawn: in order, signed, and only those concerned."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from aggregator.errors import BadInput
from aggregator.flows.editorial import correct_brief, withdraw_brief
from aggregator.flows.partners import Terms, add_partner, note_taken, reach_of, set_webhook
from aggregator.flows.publish import publish_channels
from aggregator.flows.push import Pusher, PushSettings, client_for
from aggregator.flows.webhooks import TRIES, queue_webhooks, send_webhooks
from aggregator.outgoing import Partner
from aggregator.rules.channels import Channel
from aggregator.rules.webhooks import is_genuine
from aggregator.store import briefs, partners, subscribers
from tests.flows.briefs import SLUG, TEXT, release, write
from tests.flows.receivers import Receiver, receiving
from tests.flows.wire import SITE, Desk

HOUR = timedelta(hours=1)
WIRE, OTHER = Channel("wire", "The wire"), Channel("other", "Other", desks=("sport",))
ID = f"tag:desk.example,2025-01-01:brief/{SLUG}"


@dataclass
class Office:
    """A desk with partners."""

    desk: Desk
    pusher: Pusher
    receiver: Receiver
    secrets: dict[str, str] = field(default_factory=dict)

    async def partner(self, name: str, *channels: str, **terms: Any) -> Partner:
        """A partner with a webhook of its own."""
        found, _ = await add_partner(
            self.desk.database,
            self.desk.clock,
            name,
            Terms(channels or ("wire",), **terms),
            (WIRE, OTHER),
            by="ada",
        )
        secret = await set_webhook(
            self.desk.database, self.desk.clock, name, self.receiver.at(f"/{name}"), by="ada"
        )
        assert secret is not None
        self.secrets[name] = secret
        return found

    async def digest(self) -> None:
        """What follows from a decision, in the order in which the service does it."""
        newest = self.desk.database.read_now(briefs.newest_publication)
        self.desk.clock.move(timedelta(seconds=2))
        await publish_channels(self.desk.database, self.desk.clock, SITE, (WIRE, OTHER), ())
        await queue_webhooks(self.desk.database, self.desk.clock, SITE, upto=newest)
        await send_webhooks(self.pusher, {})

    async def publish(self) -> None:
        await release(self.desk)
        await self.digest()

    async def correct(self) -> None:
        text = TEXT.replace("Tuesday", "Monday")
        await correct_brief(self.desk.database, self.desk.clock, SLUG, text, by="bob", why="It was Monday.")
        await self.digest()

    async def withdraw(self) -> None:
        await withdraw_brief(self.desk.database, self.desk.clock, SLUG, by="bob", why="It was not so.")
        await self.digest()

    def told(self, name: str) -> list[Any]:
        """What a partner was told."""
        return [json.loads(one.body) for one in self.receiver.got(f"/{name}")]

    def types(self, name: str) -> list[str]:
        return [one["type"] for one in self.told(name)]


@pytest.fixture
async def office(desk: Desk) -> AsyncIterator[Office]:
    """A desk with one brief, and somebody who receives webhooks."""
    settings = PushSettings(private_networks=True)
    async with receiving() as receiver, client_for(settings, user_agent="wirebrief-test/1") as client:
        await write(desk)
        yield Office(desk, Pusher(desk.database, client, desk.clock, SITE, settings), receiver)


async def test_a_partner_is_told_what_was_published_corrected_and_withdrawn(office: Office) -> None:
    await office.partner("daily")
    await office.publish()
    await office.correct()
    await office.withdraw()
    assert office.types("daily") == ["brief.published", "brief.corrected", "brief.withdrawn"]
    first, second, third = office.told("daily")
    assert first["data"]["id"] == ID
    assert first["data"]["url"] == f"https://desk.example/briefs/{SLUG}"
    assert first["data"]["channels"] == ["wire"]
    assert "sat down on Tuesday" in first["data"]["entry"]["content_html"]
    assert (second["data"]["revision"], second["data"]["why"]) == (2, "It was Monday.")
    assert "sat down on Monday" in second["data"]["entry"]["content_html"]
    assert third["data"]["why"] == "It was not so."
    assert "sat down" not in json.dumps(third)


async def test_every_webhook_is_signed_for_its_moment(office: Office) -> None:
    await office.partner("daily")
    await office.publish()
    (one,) = office.receiver.got("/daily")
    now = office.desk.clock()
    assert is_genuine(office.secrets["daily"], one.headers, one.body, now=now)
    assert not is_genuine(office.secrets["daily"], one.headers, one.body + b" ", now=now)
    assert not is_genuine(office.secrets["daily"], one.headers, one.body, now=now + HOUR)


async def test_a_correction_goes_to_those_who_took_the_brief_and_to_nobody_else(office: Office) -> None:
    await office.publish()
    reads_feeds = await office.partner("reads-feeds")
    await office.partner("never-came")
    await note_taken(office.desk.database, office.desk.clock, reads_feeds, [(ID, 1)], via="feed")
    await office.correct()
    assert office.types("reads-feeds") == ["brief.corrected"]
    assert office.types("never-came") == []


async def test_a_withdrawal_reaches_a_partner_whose_channels_were_changed_since(office: Office) -> None:
    daily = await office.partner("daily")
    await office.publish()
    await office.desk.database.write(lambda s: partners.change(s, daily.id, channels=("other",)))
    await office.withdraw()
    assert office.types("daily") == ["brief.published", "brief.withdrawn"]


async def test_what_no_channel_of_a_partner_carries_is_none_of_its_business(office: Office) -> None:
    await office.partner("sports", "other")
    await office.partner("french", languages=("fr",))
    await office.publish()
    assert office.receiver.heard == []


async def test_a_webhook_that_fails_is_sent_again_and_none_overtakes_it(office: Office) -> None:
    await office.partner("daily")
    office.receiver.status["/daily"] = 500
    await office.publish()
    await office.correct()
    assert office.types("daily") == ["brief.published"]
    office.receiver.status["/daily"] = 200
    office.desk.clock.move(HOUR)
    await send_webhooks(office.pusher, {})
    assert office.types("daily") == ["brief.published", "brief.published", "brief.corrected"]
    first, again, other = (one.headers["webhook-id"] for one in office.receiver.got("/daily"))
    assert first == again != other


async def test_a_webhook_that_never_answers_is_given_up_visibly_and_may_be_tried_again(
    office: Office,
) -> None:
    daily = await office.partner("daily")
    office.receiver.status["/daily"] = 404
    await office.publish()
    for _ in range(TRIES):
        office.desk.clock.move(2 * HOUR)
        await send_webhooks(office.pusher, {})
    assert len(office.told("daily")) == TRIES
    log = office.desk.database.read_now(lambda s: subscribers.webhook_log(s, daily.id, limit=9))
    assert [(one.state, one.why) for one in log] == [("failed", "it answered 404")]
    office.receiver.status["/daily"] = 200
    again = await office.desk.database.write(
        lambda s: subscribers.try_failed_again(s, daily.id, now=office.desk.clock())
    )
    await send_webhooks(office.pusher, {})
    assert (again, office.types("daily")[-1]) == (1, "brief.published")


async def test_what_a_correction_overtook_is_not_sent_again(office: Office) -> None:
    daily = await office.partner("daily")
    office.receiver.status["/daily"] = 404
    await office.publish()
    for _ in range(TRIES):
        office.desk.clock.move(2 * HOUR)
        await send_webhooks(office.pusher, {})
    office.receiver.status["/daily"] = 200
    await office.correct()
    assert office.types("daily")[-1] == "brief.corrected"
    again = await office.desk.database.write(
        lambda s: subscribers.try_failed_again(s, daily.id, now=office.desk.clock())
    )
    assert again == 0


async def test_a_partner_that_was_revoked_is_told_nothing_more(office: Office) -> None:
    daily = await office.partner("daily")
    await office.publish()
    await office.desk.database.write(lambda s: partners.change(s, daily.id, revoked_at=office.desk.clock()))
    await office.correct()
    assert office.types("daily") == ["brief.published"]


async def test_the_same_act_is_told_once_however_often_it_is_looked_at(office: Office) -> None:
    await office.partner("daily")
    await office.publish()
    for _ in range(3):
        await office.digest()
    assert office.types("daily") == ["brief.published"]


async def test_an_editor_sees_who_has_which_version_and_who_has_not_come_yet(office: Office) -> None:
    daily = await office.partner("daily")
    await office.partner("weekly")
    await set_webhook(office.desk.database, office.desk.clock, "weekly", None, by="ada")
    await office.publish()
    office.receiver.status["/daily"] = 500
    await office.correct()
    reach = office.desk.database.read_now(lambda s: reach_of(s, SITE, SLUG))
    assert reach.revision == 2
    assert [(one.partner, one.revision, one.via) for one in reach.took] == [("daily", 1, "webhook")]
    assert reach.not_yet == ("weekly",)
    await note_taken(office.desk.database, office.desk.clock, daily, [(ID, 2)], via="feed")
    # An older document that arrives late takes nothing back.
    await note_taken(office.desk.database, office.desk.clock, daily, [(ID, 1)], via="api")
    reach = office.desk.database.read_now(lambda s: reach_of(s, SITE, SLUG))
    assert [(one.revision, one.via) for one in reach.took] == [(2, "feed")]


async def test_nobody_has_a_draft(office: Office) -> None:
    with pytest.raises(BadInput, match="was never published, so nobody has it"):
        office.desk.database.read_now(lambda s: reach_of(s, SITE, SLUG))


async def test_an_address_that_is_none_is_no_webhook(office: Office) -> None:
    await office.partner("daily")
    for url in ("daily.example/hook", "ftp://daily.example/", "https://"):
        with pytest.raises(BadInput, match="is no address of the web"):
            await set_webhook(office.desk.database, office.desk.clock, "daily", url, by="ada")
