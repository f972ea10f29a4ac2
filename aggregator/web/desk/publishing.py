"""What becomes of a brief for its readers: seen before it goes out, published, corrected, withdrawn."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import desk, editorial, views
from aggregator.flows.channels import differences
from aggregator.rules.entries import Published, brief_entry
from aggregator.store import briefs
from aggregator.web.context import Service
from aggregator.web.desk import shown
from aggregator.web.desk.frame import Decider, Here, Sent, Who, led_to, reading_of, render_desk
from aggregator.web.shown import brief_shown
from feeds.model import Entry, Feed
from feeds.write import render

router = APIRouter(prefix="/desk/briefs", include_in_schema=False)


@router.post("/{slug}/publish")
async def publish(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Publish a brief or what changed of it: now, by itself at a time, or as a correction with a note."""
    by = who.account.name
    match sent.get("act"):
        case "publish":
            await editorial.publish_brief(service.database, service.clock, slug, by=by)
        case "plan":
            at = shown.planned(sent.get("at", ""), service.clock(), reading_of(who))
            await editorial.publish_brief(service.database, service.clock, slug, by=by, at=at)
        case "correct":
            if not (why := sent.get("why", "").strip()):
                raise BadInput("Say what was wrong: readers see the note with the correction.")
            found = await service.database.read(lambda session: editorial.require_brief(session, slug))
            await editorial.correct_brief(
                service.database, service.clock, slug, found.revision.text, by=by, why=why
            )
        case _:
            raise BadInput("Say what becomes of the brief: one of its buttons does.")
    return _told(service, slug)


@router.post("/{slug}/cancel")
async def cancel(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take back that a brief is published by itself."""
    await editorial.cancel_release(service.database, service.clock, slug, by=who.account.name)
    return _told(service, slug)


@router.post("/{slug}/embargo")
async def embargo(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Let nobody publish a brief before a time, or lift that."""
    written = sent.get("until", "")
    until = shown.planned(written, service.clock(), reading_of(who)) if sent.get("act") == "set" else None
    await editorial.embargo_brief(service.database, service.clock, slug, until, by=who.account.name)
    return led_to(service, f"/desk/briefs/{slug}")


@router.post("/{slug}/withdraw")
async def withdraw(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take a published brief back, with the reason that readers will see."""
    why = sent.get("why", "")
    await editorial.withdraw_brief(service.database, service.clock, slug, by=who.account.name, why=why)
    return _told(service, slug)


@router.get("/{slug}/preview")
async def preview(slug: str, service: Here, who: Who) -> Response:
    """The page and the Atom entry as readers would get them now, and how these differ from what they have."""
    coming = await service.database.read(
        lambda session: desk.as_readers_get_it(session, slug, service.topics, service.clock())
    )
    had = await service.database.read(lambda session: views.published_brief(session, slug, service.topics))
    entry = _entry(service, coming)
    about = {
        "brief": brief_shown(coming),
        "topics": {name: compiled.topic for name, compiled in service.topics.items()},
        "atom": _atom(service, entry),
        "is_out": had is not None,
        "changes": shown.changes(differences(_as_of(_entry(service, had), entry), entry)) if had else (),
    }
    return render_desk(service, who, "preview.html", here="briefs", **about)


@router.get("/{slug}/revisions")
async def revisions(slug: str, service: Here, who: Who, of: int | None = None) -> Response:
    """Every saved state of a brief, and one of them against the one before it."""
    found = await service.database.read(lambda session: editorial.require_brief(session, slug))
    past = await service.database.read(lambda session: briefs.revisions(session, found.id))
    chosen = next((each for each in past if each.number == of), past[0])
    before = next((each for each in past if each.number == chosen.number - 1), None)
    lines = shown.changed_lines(before.text if before else "", chosen.text)
    about = {"brief": found, "past": past, "chosen": chosen, "lines": lines}
    return render_desk(service, who, "revisions.html", here="briefs", **about)


def _entry(service: Service, brief: Published) -> Entry:
    titles = {name: compiled.topic.title for name, compiled in service.topics.items()}
    return brief_entry(brief, service.site, titles)


def _as_of(had: Entry, coming: Entry) -> Entry:
    # When it is told, and for which time, is no news to whoever asks what is told.
    return replace(had, updated=coming.updated, revision=coming.revision)


def _atom(service: Service, entry: Entry) -> str:
    assert entry.updated is not None  # noqa: S101 - every brief's entry has it
    feed = Feed(
        title=service.site.title, id=service.site.tag("preview"), updated=entry.updated, entries=(entry,)
    )
    return render(feed, "atom").body.decode()


def _told(service: Service, slug: str) -> RedirectResponse:
    service.soon("digest")
    return led_to(service, f"/desk/briefs/{slug}")
