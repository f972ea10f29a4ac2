"""The wire: one row an event, newest first, with its filters in the address."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from aggregator.flows import desk
from aggregator.language.query import QueryError
from aggregator.web.desk.frame import Here, Who, render_desk
from aggregator.web.shown import direction, excerpt, story_title

router = APIRouter(prefix="/desk", include_in_schema=False)

#: Rows on one page.
ROWS = 60

#: What may be asked for, by what the address says; "" is everything.
SPANS = {"": None, "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@router.get("/wire")
async def wire(
    service: Here, who: Who, q: str = "", topic: str = "", language: str = "", span: str = ""
) -> Response:
    """The newest events that meet what the address asks for, so that a view is a bookmark."""
    since = SPANS.get(span)
    problem, found = "", []
    try:
        found = await service.database.read(
            lambda session: desk.wire(
                session,
                q,
                topic=topic or None,
                language=language or None,
                since=service.clock() - since if since else None,
                limit=ROWS,
            )
        )
    except QueryError as error:
        problem = str(error)
    return render_desk(
        service,
        who,
        "wire.html",
        400 if problem else 200,
        here="wire",
        events=found,
        asked={"q": q, "topic": topic, "language": language, "span": span},
        topics={slug: compiled.topic.title for slug, compiled in service.topics.items()},
        languages=sorted({one for event in found for one in _languages(event)} | ({language} - {""})),
        problem=problem,
        title_of=story_title,
        excerpt=excerpt,
        direction=direction,
    )


def _languages(event: desk.Event) -> set[str]:
    own = {event.story.language} if event.story.language else set()
    return own | set(event.cluster.languages if event.cluster else ())
