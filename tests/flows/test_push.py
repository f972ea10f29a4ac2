"""What is published reaches those who subscribed, without their asking (WebSub)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.errors import BadInput
from aggregator.flows.push import (
    MOST_FOR_HOST,
    HubBusy,
    Pusher,
    PushSettings,
    client_for,
    push,
    take_request,
    wait_after,
)
from aggregator.flows.upkeep import KeepSettings, forget_old
from aggregator.outgoing import Subscriber
from aggregator.rules.channels import Channel
from aggregator.store import subscribers
from feeds.read import parse
from feeds.websub import is_genuine, subscription_form
from tests.flows.receivers import Receiver, receiving
from tests.flows.wire import EVERYTHING, SITE, Desk, entry

TOPIC = SITE.page("channels/wire.atom")
SECRET = "between the two of us"
PRIVATE = Channel("paid", "For partners", is_public=False)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who wants to be pushed to."""
    async with receiving() as found:
        yield found


@pytest.fixture
async def pusher(desk: Desk) -> AsyncIterator[Pusher]:
    """What delivers for the desk, and may reach loopback."""
    settings = PushSettings(private_networks=True)
    async with client_for(settings, user_agent="wirebrief-test/1") as client:
        yield Pusher(desk.database, client, desk.clock, SITE, settings)


async def asks(pusher: Pusher, callback: str, **more: object) -> None:
    """Somebody posts to our hub."""
    form = subscription_form(**({"topic": TOPIC, "callback": callback, "secret": SECRET} | more))  # type: ignore[arg-type]
    await take_request(pusher.database, pusher.clock, SITE, (EVERYTHING, PRIVATE), pusher.settings, form)


async def subscribes(pusher: Pusher, callback: str, **more: object) -> None:
    """Somebody posts to our hub and confirms it."""
    await asks(pusher, callback, **more)
    await push(pusher, [EVERYTHING])


def everyone(desk: Desk) -> list[Subscriber]:
    return desk.database.read_now(subscribers.everyone)


async def news(desk: Desk, number: int) -> None:
    """Something comes in, and the channel follows."""
    desk.wire.says(*(entry(n) for n in range(1, number + 1)))
    await desk.poll()
    await desk.publish()


async def test_a_subscriber_is_asked_whether_it_meant_it_and_given_what_changes(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    await subscribes(pusher, receiver.at("/news?mine=1"), lease=timedelta(days=2))
    (question,) = receiver.got("/news", "GET")
    assert question.query["mine"] == "1"
    assert question.query["hub.mode"] == "subscribe"
    assert question.query["hub.topic"] == TOPIC
    assert question.query["hub.lease_seconds"] == "172800"
    # What it has already is not delivered.
    assert receiver.got("/news") == []
    await news(desk, 2)
    await push(pusher, [EVERYTHING])
    (given,) = receiver.got("/news")
    assert given.body == desk.document().codings.body
    assert given.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert given.headers["link"] == f'<{TOPIC}>; rel="self", <{SITE.page("hub")}>; rel="hub"'
    assert is_genuine(given.headers["x-hub-signature"], given.body, SECRET)
    assert not is_genuine(given.headers["x-hub-signature"], given.body + b" ", SECRET)
    await push(pusher, [EVERYTHING])
    assert len(receiver.got("/news")) == 1


async def test_what_changes_between_the_wish_and_its_confirmation_is_delivered(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    await asks(pusher, receiver.at("/"))
    await news(desk, 2)
    await push(pusher, [EVERYTHING])
    assert len(receiver.got("/")) == 1


async def test_a_subscriber_without_a_secret_is_sent_no_signature(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await subscribes(pusher, receiver.at("/"), secret=None)
    await desk.publish()
    await push(pusher, [EVERYTHING])
    assert "x-hub-signature" not in receiver.got("/")[0].headers


async def test_whoever_does_not_confirm_is_not_subscribed(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    receiver.agrees = False
    await subscribes(pusher, receiver.at("/"))
    receiver.agrees, receiver.question_status = True, 404
    await subscribes(pusher, receiver.at("/"))
    assert everyone(desk) == []
    assert desk.database.read_now(subscribers.waiting_for) == 0


async def test_a_callback_that_fails_is_asked_again_and_then_told_no(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    receiver.question_status = 500
    await subscribes(pusher, receiver.at("/"))
    for _ in range(3):
        desk.clock.move(timedelta(minutes=10))
        await push(pusher, [EVERYTHING])
    modes = [one.query["hub.mode"] for one in receiver.got("/", "GET")]
    assert modes == ["subscribe", "subscribe", "subscribe", "denied"]
    assert desk.database.read_now(subscribers.waiting_for) == 0


async def test_a_subscriber_that_was_away_gets_everything_when_it_is_back(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    await subscribes(pusher, receiver.at("/"))
    receiver.status["/"] = 502
    for number in range(2, 6):
        await news(desk, number)
        await push(pusher, [EVERYTHING])
    (failing,) = everyone(desk)
    assert (failing.tries, failing.why) == (1, "it answered 502")
    receiver.status["/"] = 204
    desk.clock.move(timedelta(minutes=1))
    await push(pusher, [EVERYTHING])
    last = parse(receiver.got("/")[-1].body)
    assert [e.id for e in last.entries] == [f"tag:wire.example,2025:{n}" for n in range(5, 0, -1)]
    (back,) = everyone(desk)
    assert (back.tries, back.failing_since) == (0, None)


async def test_a_subscriber_that_says_when_to_come_again_is_left_alone_until_then(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await subscribes(pusher, receiver.at("/"))
    receiver.status["/"], receiver.headers["/"] = 429, {"Retry-After": "600"}
    await desk.publish()
    await push(pusher, [EVERYTHING])
    desk.clock.move(timedelta(minutes=9))
    await push(pusher, [EVERYTHING])
    assert len(receiver.got("/")) == 1
    desk.clock.move(timedelta(minutes=2))
    await push(pusher, [EVERYTHING])
    assert len(receiver.got("/")) == 2


async def test_a_subscriber_that_is_gone_or_dead_for_days_is_dropped(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await subscribes(pusher, receiver.at("/gone"))
    await subscribes(pusher, receiver.at("/dead"))
    receiver.status = {"/gone": 410, "/dead": 500}
    await desk.publish()
    await push(pusher, [EVERYTHING])
    assert [one.callback for one in everyone(desk)] == [receiver.at("/dead")]
    desk.clock.move(timedelta(days=2))
    await push(pusher, [EVERYTHING])
    assert len(everyone(desk)) == 1
    desk.clock.move(timedelta(days=2))
    await push(pusher, [EVERYTHING])
    assert everyone(desk) == []


async def test_a_lease_ends_and_may_be_renewed(desk: Desk, pusher: Pusher, receiver: Receiver) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    for path in ("/a", "/b"):
        await subscribes(pusher, receiver.at(path), lease=timedelta(days=1))
    desk.clock.move(timedelta(hours=20))
    await subscribes(pusher, receiver.at("/a"), lease=timedelta(days=1))
    desk.clock.move(timedelta(hours=10))
    await news(desk, 2)
    await push(pusher, [EVERYTHING])
    assert (len(receiver.got("/a")), len(receiver.got("/b"))) == (1, 0)
    await forget_old(desk.database, desk.clock, KeepSettings())
    assert [one.callback for one in everyone(desk)] == [receiver.at("/a")]


async def test_no_lease_is_longer_than_the_desk_allows(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await subscribes(pusher, receiver.at("/"), lease=timedelta(days=1000))
    assert receiver.heard[0].query["hub.lease_seconds"] == str(30 * 86400)


async def test_whoever_unsubscribes_is_asked_too_and_then_left_alone(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    await subscribes(pusher, receiver.at("/"))
    await subscribes(pusher, receiver.at("/"), mode="unsubscribe")
    assert [one.query["hub.mode"] for one in receiver.heard] == ["subscribe", "unsubscribe"]
    assert everyone(desk) == []


async def test_no_callback_inside_a_private_network_is_asked(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    async with client_for(PushSettings(), user_agent="x") as careful:
        await subscribes(replace(pusher, client=careful), receiver.at("/"))
    assert receiver.heard == []
    assert everyone(desk) == []


async def test_what_is_no_channel_of_ours_cannot_be_subscribed_to(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    for topic in ("https://elsewhere.example/feed", SITE.page("channels/paid.atom")):
        with pytest.raises(BadInput, match="is no channel of this hub"):
            await asks(pusher, receiver.at("/"), topic=topic)


async def test_a_stranger_cannot_make_us_ask_one_host_without_end(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    for number in range(MOST_FOR_HOST):
        await asks(pusher, receiver.at(f"/{number}"))
    with pytest.raises(HubBusy):
        await asks(pusher, receiver.at("/one-more"))
    await asks(pusher, "https://other.example/")


async def test_every_format_is_pushed_as_what_it_is(desk: Desk, pusher: Pusher, receiver: Receiver) -> None:
    await desk.hears(entry(1))
    for format in ("rss", "json", "ninjs"):
        await subscribes(pusher, receiver.at(f"/{format}"), topic=SITE.page(f"channels/wire.{format}"))
    await desk.publish()
    await push(pusher, [EVERYTHING])
    kinds = [receiver.got(f"/{format}")[0].headers["content-type"] for format in ("rss", "json", "ninjs")]
    assert kinds == [
        "application/rss+xml; charset=utf-8",
        "application/feed+json; charset=utf-8",
        "application/json",
    ]


async def test_one_slow_or_broken_subscriber_holds_up_nobody(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    await desk.hears(entry(1))
    for number in range(30):
        await asks(pusher, receiver.at(f"/{number}")) if number < MOST_FOR_HOST else None
    await push(pusher, [EVERYTHING])
    receiver.status["/3"] = 500
    await desk.publish()
    await push(pusher, [EVERYTHING])
    taken = [one for one in everyone(desk) if one.etag == desk.document().etag]
    assert len(taken) == MOST_FOR_HOST - 1


# The hubs of others


async def test_the_hub_of_somebody_else_is_told_of_each_change_until_it_heard(
    desk: Desk, pusher: Pusher, receiver: Receiver
) -> None:
    pusher = replace(pusher, settings=replace(pusher.settings, hubs=(receiver.at("/hub"),)))
    await desk.hears(entry(1))
    await desk.publish()
    receiver.status["/hub"] = 503
    await push(pusher, [EVERYTHING])
    assert sorted(one.form["hub.url"] for one in receiver.got("/hub")) == sorted(
        SITE.page(f"channels/wire.{format}") for format in ("atom", "json", "ninjs", "rss")
    )
    receiver.status["/hub"] = 202
    desk.clock.move(timedelta(minutes=1))
    await push(pusher, [EVERYTHING])
    await push(pusher, [EVERYTHING])
    assert len(receiver.got("/hub")) == 8
    assert receiver.heard[-1].form["hub.mode"] == "publish"


async def test_no_hub_is_told_of_what_is_for_partners(desk: Desk, pusher: Pusher, receiver: Receiver) -> None:
    pusher = replace(pusher, settings=replace(pusher.settings, hubs=(receiver.at("/hub"),)))
    await desk.publish(PRIVATE)
    await push(pusher, [PRIVATE])
    assert receiver.heard == []


def test_documents_name_our_hub_and_those_of_others() -> None:
    settings = PushSettings(hubs=("https://hub.example/",))
    assert settings.advertised(SITE) == ("https://desk.example/hub", "https://hub.example/")
    assert PushSettings(hub=False).advertised(SITE) == ()


def test_the_wait_doubles_and_ends_at_an_hour() -> None:
    assert [wait_after(n).total_seconds() for n in (1, 2, 3, 8, 90)] == [5, 10, 20, 640, 3600]
    assert wait_after(1, timedelta(minutes=5)) == timedelta(minutes=5)
    assert wait_after(1, timedelta(days=5)) == timedelta(hours=1)
