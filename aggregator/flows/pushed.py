"""Sources whose feeds name a hub are sent to us: subscribed to, confirmed, renewed, and read (WebSub).

Being sent something never replaces asking: a source is polled when it is due, since a hub may fall
silent. What is sent without a genuine signature is not read; it only makes us ask the source itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from sqlmodel import Session

from aggregator.flows import recording
from aggregator.flows.batches import count
from aggregator.flows.push import BATCH, Pusher, each, wait_after
from aggregator.model import Clock, FetchReport, Outcome, Recorded, SourceDue
from aggregator.outgoing import PushSource
from aggregator.rules.channels import Site
from aggregator.rules.evidence import evidence_of
from aggregator.rules.stories import read_stories
from aggregator.store import push_sources, sources
from aggregator.store.database import Database
from feeds.errors import FetchError, ParseError, WebSubError
from feeds.http import send
from feeds.read import parse
from feeds.websub import Denial, Verification, is_genuine, read_verification, subscription_form

log = logging.getLogger(__name__)

#: How long we ask to be sent to.
LEASE = timedelta(days=10)
#: A hub that took our wish and never asked back is asked again after so long.
UNANSWERED = timedelta(hours=6)
#: A hub that refused us is asked again after so long.
REFUSED = timedelta(days=1)


async def subscribe_sources(pusher: Pusher) -> int:
    """Ask the hubs that are to be asked; how many were."""
    if not pusher.settings.subscribe:
        return 0
    due = await pusher.database.read(lambda s: push_sources.to_ask(s, pusher.clock(), limit=BATCH))
    await each(due, partial(_subscribe, pusher))
    return len(due)


async def answer_hub(database: Database, clock: Clock, token: str, query: Mapping[str, str]) -> str | None:
    """What a hub is answered that asks whether we meant it; None where we did not."""
    try:
        said = read_verification(query)
    except WebSubError:
        return None

    def settle(session: Session) -> str | None:
        known = push_sources.at_token(session, token)
        if known is None or known.topic_url != said.topic:
            return None
        now = clock()
        match said:
            case Denial(reason=reason):
                why = f"the hub refuses: {reason}" if reason else "the hub refuses"
                push_sources.deny(session, known, why=why, at=now + REFUSED)
                return ""
            case Verification(mode="subscribe", challenge=challenge, lease=lease):
                push_sources.confirm(session, known, lease or LEASE, now=now)
                return challenge
        # We never asked to end it.
        return None

    return await database.write(settle)


async def take_push(
    database: Database,
    clock: Clock,
    token: str,
    *,
    body: bytes,
    content_type: str | None,
    signature: str | None,
) -> bool:
    """Read what a hub sent; False where no subscription has this address.

    What is not genuine is answered like what is (WebSub section 7.1.2), and only makes us ask the
    source itself.
    """
    known = await database.read(partial(push_sources.at_token, token=token))
    source = await database.read(partial(push_sources.source_of, push=known)) if known else None
    if known is None or source is None or not known.is_confirmed:
        return False
    report = None
    if is_genuine(signature, body, known.secret):
        report = await asyncio.to_thread(_read, source, body, content_type, clock)
    else:
        log.warning("push not genuine", extra={"source": source.id, "url": source.url})

    def record(session: Session) -> list[Recorded]:
        if report is None:
            sources.hasten(session, known.source_id, clock())
            return []
        push_sources.pushed(session, known, now=clock())
        return recording.record(session, [report])

    for done in await database.write(record):
        assert report is not None  # noqa: S101 - nothing else was recorded
        count(report, done)
    return True


def _read(source: SourceDue, body: bytes, content_type: str | None, clock: Clock) -> FetchReport | None:
    """What a hub sent, as a report; None where it is no feed."""
    try:
        feed = parse(body, content_type=content_type, base_url=source.url)
    except ParseError as error:
        log.warning("push not read", extra={"source": source.id, "url": source.url, "reason": str(error)})
        return None
    drafts = read_stories(feed, source_url=source.url, language=source.language, identity=source.identity)
    return FetchReport(
        source_id=source.id,
        at=clock(),
        outcome=Outcome.PUSHED,
        next_due=None,
        why="sent by its hub",
        body_bytes=len(body),
        entries=len(feed.entries),
        evidence=evidence_of(body, content_type=content_type, base_url=source.url),
        drafts=drafts,
        tombstones=feed.tombstones,
    )


def callback_of(site: Site, push: PushSource) -> str:
    """Where a hub sends to."""
    return site.page(f"websub/{push.token}")


async def _subscribe(pusher: Pusher, push: PushSource) -> None:
    # A secret sent in the clear is none, except within one machine or one network of ours.
    is_safe = push.hub.startswith("https:") or pusher.settings.private_networks
    tries, wait = push.tries + 1, wait_after(push.tries + 1)
    if not is_safe:
        why, wait = "its hub does not speak https, so nothing it sends could be believed", REFUSED
    else:
        try:
            form = subscription_form(
                push.topic_url, callback_of(pusher.site, push), lease=LEASE, secret=push.secret
            )
            answer = await send(
                pusher.client,
                "POST",
                push.hub,
                body=urlencode(form).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                limits=pusher.settings.limits,
            )
            why = f"the hub answered {answer.status}"
            if answer.is_success:
                tries, wait = 0, UNANSWERED
        except (FetchError, WebSubError) as error:
            why = str(error)
    at = pusher.clock() + wait
    await pusher.database.write(lambda s: push_sources.asked(s, push.source_id, tries=tries, why=why, at=at))
