"""Partners with a webhook are told what was published, corrected and withdrawn, in order, signed.

A publication goes to the partners whose channels carry it; a correction or a withdrawal goes to
exactly those who took the brief before, in whatever way and whatever their channels carry now.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from aggregator import measures
from aggregator.flows.candidates import as_published
from aggregator.flows.partners import may_have
from aggregator.flows.push import BATCH, Pusher, each, wait_after
from aggregator.model import Act, Clock, Publication
from aggregator.outgoing import Partner, Told, WebhookDue
from aggregator.rules.channels import Site
from aggregator.rules.entries import brief_entry, brief_id
from aggregator.rules.topics import CompiledTopic
from aggregator.rules.webhooks import signed_headers
from aggregator.store import briefs, carried, partners, progress, stories, subscribers
from aggregator.store.database import Database
from feeds.dates import rfc3339
from feeds.errors import FetchError
from feeds.http import send
from feeds.write import jsonfeed

log = logging.getLogger(__name__)

#: How far it is known who is to be told.
CURSOR = "webhooks"
#: So often a webhook is tried, over about a day, before it is given up and shown as failed.
TRIES = 30


async def queue_webhooks(database: Database, clock: Clock, site: Site, *, upto: int) -> None:
    """Decide for each new act of publishing up to one which partners are told of it.

    `upto` is the newest act that the channels were rendered with: of a later one it is not known
    yet which channels carry it.
    """
    if await database.read(lambda s: progress.get(s, CURSOR)) >= upto:
        return

    def queue(session: Session) -> None:
        known = [one for one in partners.everyone(session) if one.webhook_url and not one.revoked_at]
        for act in briefs.publications_after(session, progress.get(session, CURSOR)):
            for partner in known:
                if act.id <= upto and _is_concerned(session, site, partner, act):
                    subscribers.queue_webhook(session, partner.id, act.id, now=clock())
        progress.put(session, CURSOR, upto)

    await database.write(queue)


async def send_webhooks(pusher: Pusher, topics: Mapping[str, CompiledTopic]) -> int:
    """Send the webhooks that are due, each partner's in the order of the acts; how many were tried."""
    tried = 0
    while due := await pusher.database.read(
        lambda s: subscribers.webhooks_due(s, pusher.clock(), limit=BATCH)
    ):
        await each(due, partial(_send, pusher, topics))
        tried += len(due)
    return tried


def _is_concerned(session: Session, site: Site, partner: Partner, act: Publication) -> bool:
    slug = briefs.slugs(session)[act.brief_id]
    took = bool(partners.taken_by(session, partner.id, [brief_id(site, slug)]))
    if act.act in (Act.CORRECTED, Act.WITHDRAWN):
        # Told of the brief in this very run counts as well: its webhook goes first.
        return took or subscribers.has_webhook(session, partner.id, act.brief_id)
    rows = carried.channels_of(session, "brief", act.brief_id)
    return any(row.told is not Told.REMOVED and may_have(partner, row, site) for row in rows)


async def _send(pusher: Pusher, topics: Mapping[str, CompiledTopic], due: WebhookDue) -> None:
    partner, act = due.partner, due.publication
    now = pusher.clock()
    if partner.webhook_url is None or partner.webhook_secret is None or partner.revoked_at is not None:
        await pusher.database.write(
            lambda s: subscribers.webhook_later(s, due, why="it has no webhook any more", at=None)
        )
        return
    told = await pusher.database.read(partial(_told, pusher=pusher, topics=topics, act=act))
    body = json.dumps(told, ensure_ascii=False).encode()
    # The same id however often it is sent, so that the partner can tell a repetition.
    headers = signed_headers(partner.webhook_secret, id=f"act_{act.id}", at=now, body=body)
    headers["Content-Type"] = "application/json"
    wait: timedelta | None = None
    try:
        answer = await send(
            pusher.client,
            "POST",
            partner.webhook_url,
            body=body,
            headers=headers,
            limits=pusher.settings.limits,
        )
        is_taken, why, wait = answer.is_success, f"it answered {answer.status}", answer.retry_after
    except FetchError as error:
        is_taken, why = False, str(error)
    measures.DELIVERIES.add("webhook", "taken" if is_taken else "failed")
    await pusher.database.write(
        partial(_record, pusher=pusher, due=due, is_taken=is_taken, why=why, wait=wait, size=len(body))
    )


def _record(
    session: Session,
    pusher: Pusher,
    due: WebhookDue,
    is_taken: bool,
    why: str,
    wait: timedelta | None,
    size: int,
) -> None:
    now, partner, act = pusher.clock(), due.partner, due.publication
    if is_taken:
        subscribers.webhook_done(session, due, why=why, now=now)
        slug = briefs.slugs(session)[act.brief_id]
        taken = [(brief_id(pusher.site, slug), _revision(session, act))]
        partners.take(session, partner.id, taken, via="webhook", now=now)
        partners.count_use(session, partner.id, via="webhook", now=now, entries=1, body_bytes=size)
        return
    is_last = due.tries + 1 >= TRIES
    at = None if is_last else now + wait_after(due.tries + 1, wait)
    subscribers.webhook_later(session, due, why=why, at=at)
    level = logging.WARNING if is_last else logging.INFO
    log.log(level, "webhook not taken", extra={"partner": partner.name, "act": act.id, "reason": why})


def _revision(session: Session, act: Publication) -> int:
    return sum(one.id <= act.id for one in briefs.publications(session, [act.brief_id]))


def _told(
    session: Session, pusher: Pusher, topics: Mapping[str, CompiledTopic], act: Publication
) -> dict[str, Any]:
    """What a partner is told of an act: the brief as it was after it, in the form of a JSON Feed item."""
    past = tuple(one for one in briefs.publications(session, [act.brief_id]) if one.id <= act.id)
    slug = briefs.slugs(session)[act.brief_id]
    known = stories.by_ids(session, [link.story_id for link in act.links])
    titles = {name: each.topic.title for name, each in topics.items()}
    published = as_published(slug, past, known, topics)
    entry = brief_entry(published, pusher.site, titles)
    rows = carried.channels_of(session, "brief", act.brief_id)
    return {
        "type": f"brief.{act.act.value}",
        "timestamp": rfc3339(act.at),
        "data": {
            "id": entry.id,
            "url": pusher.site.page(f"briefs/{slug}"),
            "revision": len(past),
            "why": act.why,
            "channels": [row.channel for row in rows if row.told is not Told.REMOVED],
            "entry": json.loads(jsonfeed.entry_fragment(entry, language=published.text.language)),
        },
    }
