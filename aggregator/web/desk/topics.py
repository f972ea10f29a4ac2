"""Topics at the desk: what each takes, tried under another wording before it is saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import topic_desk, views
from aggregator.flows.catalogue import Clash, value_of
from aggregator.flows.topic_desk import Comparison, TopicRow, compare_topics
from aggregator.people import SignedIn
from aggregator.rules.channels import FORMATS
from aggregator.rules.topics import Topic, compile_topic
from aggregator.store.definitions import Definition
from aggregator.web.context import Service
from aggregator.web.desk.frame import Decider, Here, Sent, Who, led_to, reading_of, render_desk
from aggregator.web.desk.plots import Plot, columns
from aggregator.web.desk.topic_form import ChannelForm, TopicForm, differing, merged
from aggregator.web.locales import N_, Reading
from aggregator.web.shown import conditions, direction, excerpt, story_title

router = APIRouter(prefix="/desk", include_in_schema=False)

#: Stories on a topic's page before anything is tried.
NEWEST = 12
#: Expressions of one condition that are named in the list.
NAMED = 6

#: What becomes of stories, and what that is called, in the order in which it is shown.
PILES = (
    ("comes", N_("Comes in")),
    ("goes", N_("Goes out")),
    ("stays", N_("Stays")),
    ("near", N_("Nearly taken")),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a topic's page shows beside what holds, each where it is asked for."""

    #: The fields, where they are not those of the topic that holds.
    form: TopicForm | None = None
    #: What they began from; what editors said last, where left out.
    began: int | None = None
    problem: str = ""
    #: What it would take.
    trial: Comparison | None = None
    #: Who saved meanwhile, and what: the fields that differ, before, theirs and ours.
    clash: Definition | None = None
    differences: tuple[tuple[str, tuple[str, ...]], ...] = ()
    channel: ChannelForm | None = None
    channel_problem: str = ""
    #: The channel that was just made.
    made: str = ""
    is_saved: bool = False


@router.get("/topics")
async def all_topics(service: Here, who: Who) -> Response:
    """Every topic with its conditions, and what it took on each of the last days."""
    reading = reading_of(who)
    look = partial(topic_desk.overview, held=service.catalogue, now=service.clock(), zone=reading.zone)
    rows = await service.database.read(look)
    return render_desk(
        service,
        who,
        "topics.html",
        here="topics",
        rows=[(row, _days(row, service, reading)) for row in rows],
        conditions=conditions,
        most=NAMED,
        problems=service.catalogue.problems,
        may_decide=_may_decide(who),
    )


@router.get("/new-topic")
async def new_topic(service: Here, who: Who, like: str = "") -> Response:
    """An empty topic, or one that begins as another one."""
    known = service.topics.get(like)
    form = replace(TopicForm.of(known.topic), slug="", title="") if known else TopicForm()
    return await _new_page(service, who, Page(form=form))


@router.post("/new-topic")
async def add_topic(service: Here, who: Decider, sent: Sent) -> Response:
    """Save a new topic."""
    form = TopicForm.sent(sent)
    try:
        topic = form.topic()
        await service.keeper.define(topic, began=None, by=who.account.name)
    except BadInput as error:
        return await _new_page(service, who, Page(form=form, problem=str(error)), status=400)
    return _saved(service, topic.slug)


@router.post("/new-topic/try")
async def try_new(service: Here, who: Who, sent: Sent) -> Response:
    """What a new topic would take; nothing is saved."""
    form = TopicForm.sent(sent)
    try:
        # Its name decides nothing, and may still be missing.
        page = Page(form=form, trial=await _tried(service, None, replace(form.topic(), slug="new")))
    except BadInput as error:
        page = Page(form=form, problem=str(error))
    return await _new_page(service, who, page, status=400 if page.problem else 200)


@router.get("/new-topic/try")
async def tried_new(service: Here, who: Who) -> RedirectResponse:
    """Whoever loads the address of a trial anew begins anew."""
    return led_to(service, "/desk/new-topic")


@router.get("/topics/{slug}")
async def one_topic(
    slug: str, service: Here, who: Who, state: int | None = None, made: str = "", saved: str = ""
) -> Response:
    """A topic with what it takes; `state` puts an earlier one of its definitions into the form."""
    _require_topic(service, slug)
    form = None
    if state is not None:
        past = await service.database.read(partial(topic_desk.past_of, slug=slug))
        chosen = next((one for one in past if one.id == state and not one.is_removed), None)
        form = _form_of(chosen) if chosen else None
    return await _page(service, who, slug, Page(form=form, made=made, is_saved=bool(saved)))


@router.post("/topics/{slug}")
async def save(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Let the topic be so from now on; where somebody saved meanwhile, both are shown and nothing is done."""
    form, began = TopicForm.sent(sent, slug), _began(sent)
    try:
        done = await service.keeper.define(form.topic(), began=began, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, slug, Page(form, began, problem=str(error)), status=400)
    if isinstance(done, Clash):
        return await _clashed(service, who, slug, form=form, began=began, theirs=done.theirs)
    return _saved(service, slug)


@router.post("/topics/{slug}/try")
async def try_topic(slug: str, service: Here, who: Who, sent: Sent) -> Response:
    """What the topic would take as the form says it; nothing is saved."""
    form, began = TopicForm.sent(sent, slug), _began(sent)
    try:
        page = Page(form, began, trial=await _tried(service, slug, form.topic()))
    except BadInput as error:
        page = Page(form, began, problem=str(error))
    return await _page(service, who, slug, page, status=400 if page.problem else 200)


@router.get("/topics/{slug}/try")
async def tried(slug: str, service: Here, who: Who) -> RedirectResponse:
    """Whoever loads the address of a trial anew begins anew."""
    return led_to(service, f"/desk/topics/{slug}")


@router.post("/topics/{slug}/remove")
async def remove(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take back what the desk defined: the topic is no more, or is again as the settings say."""
    try:
        done = await service.keeper.take_back("topic", slug, began=_began(sent), by=who.account.name)
    except BadInput as error:
        return await _page(service, who, slug, Page(problem=str(error)), status=400)
    if isinstance(done, Clash):
        said = reading_of(who).say(N_("%(by)s changed it meanwhile: look at it first."), by=done.theirs.by)
        return await _page(service, who, slug, Page(problem=said), status=409)
    service.soon("digest")
    return _saved(service, slug) if slug in service.topics else led_to(service, "/desk/topics")


@router.post("/topics/{slug}/channel")
async def add_channel(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Make a channel that carries this topic."""
    _require_topic(service, slug)
    form = ChannelForm.sent(sent)
    try:
        channel = form.channel(slug)
        await service.keeper.define(channel, began=None, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, slug, Page(channel=form, channel_problem=str(error)), status=400)
    service.soon("digest")
    return led_to(service, f"/desk/topics/{slug}?made={channel.slug}#channels")


@router.post("/topics/{slug}/channel/{channel}/remove")
async def remove_channel(slug: str, channel: str, service: Here, who: Decider, sent: Sent) -> Response:
    """End a channel that was made at the desk, or let it be again as the settings say."""
    try:
        done = await service.keeper.take_back("channel", channel, began=_began(sent), by=who.account.name)
    except BadInput as error:
        return await _page(service, who, slug, Page(channel_problem=str(error)), status=400)
    if isinstance(done, Clash):
        said = reading_of(who).say(N_("%(by)s changed it meanwhile: look at it first."), by=done.theirs.by)
        return await _page(service, who, slug, Page(channel_problem=said), status=409)
    service.soon("digest")
    return led_to(service, f"/desk/topics/{slug}#channels")


async def _page(service: Service, who: SignedIn, slug: str, page: Page, *, status: int = 200) -> Response:
    held = service.catalogue
    compiled, definition = held.topics.get(slug), held.definition("topic", slug)
    if compiled is None and page.form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    topic = compiled.topic if compiled else None
    newest = [] if page.trial else await _newest(service, slug)
    return render_desk(
        service,
        who,
        "topic.html",
        status,
        here="topics",
        page=page,
        topic=topic,
        title=topic.title if topic else (page.form.title if page.form else slug),
        form=page.form or TopicForm.of(compiled.topic if compiled else Topic(slug, "")),
        began=held.began("topic", slug) if page.began is None else page.began,
        definition=definition,
        is_declared=held.declared.has("topic", slug),
        followers=await service.database.read(partial(topic_desk.followers, held=held, slug=slug)),
        past=await service.database.read(partial(topic_desk.past_of, slug=slug)),
        channel=page.channel or _suggested(service, topic),
        newest=newest,
        **_common(service, who, page),
    )


async def _new_page(service: Service, who: SignedIn, page: Page, *, status: int = 200) -> Response:
    about = {"topic": None, "form": page.form or TopicForm(), "page": page}
    return render_desk(
        service, who, "new-topic.html", status, here="topics", **about, **_common(service, who, page)
    )


def _common(service: Service, who: SignedIn, page: Page) -> dict[str, object]:
    """What the form and the trial need on either page."""
    return {
        "may_decide": _may_decide(who),
        "piles": [(name, says, getattr(page.trial, name)) for name, says in PILES] if page.trial else [],
        "trial_days": topic_desk.TRIAL_SPAN.days,
        "addresses": {
            channel.slug: {form: service.site.page(channel.path_as(form)) for form in FORMATS}
            for channel in service.channels
        },
        "direction": direction,
        "excerpt": excerpt,
        "title_of": story_title,
    }


async def _clashed(
    service: Service, who: SignedIn, slug: str, *, form: TopicForm, began: int, theirs: Definition
) -> Response:
    """Both texts, and a form with what each of the two changed: who saves now has seen the other one."""
    past = await service.database.read(partial(topic_desk.past_of, slug=slug))
    first = next((one for one in past if one.id == began), None)
    declared = next((one for one in service.catalogue.declared.topics if one.slug == slug), None)
    file = TopicForm.of(declared) if declared else TopicForm(slug)
    before = _form_of(first) if first and not first.is_removed else file
    now = file if theirs.is_removed else _form_of(theirs)
    kept = merged(before, now, form)
    page = Page(kept, theirs.id, clash=theirs, differences=tuple(differing(before, now, form)))
    return await _page(service, who, slug, page, status=409)


async def _newest(service: Service, slug: str) -> list[views.Taken]:
    return await service.database.read(lambda session: views.taken_by_topic(session, slug, limit=NEWEST))


async def _tried(service: Service, slug: str | None, topic: Topic) -> Comparison:
    now = service.topics.get(slug) if slug else None
    return await compare_topics(service.database, service.clock, now, compile_topic(topic))


def _form_of(definition: Definition) -> TopicForm:
    try:
        found = value_of(definition)
    except BadInput:
        return TopicForm(definition.slug)
    return TopicForm.of(found) if isinstance(found, Topic) else TopicForm(definition.slug)


def _suggested(service: Service, topic: Topic | None) -> ChannelForm:
    """The fields of a channel of this topic before anything is typed; no name that is taken."""
    if topic is None:
        return ChannelForm("", "")
    is_taken = topic.slug in service.catalogue.by_slug or topic.slug in service.catalogue.moved
    return ChannelForm("" if is_taken else topic.slug, topic.title, topic.description)


def _days(row: TopicRow, service: Service, reading: Reading) -> Plot:
    begins = topic_desk.day_begins(service.clock(), reading.zone)
    return columns((reading.day(begin), count) for begin, count in zip(begins, row.days, strict=True))


def _began(sent: dict[str, str]) -> int:
    began = sent.get("began", "")
    if not (began.isascii() and began.isdecimal() and len(began) < 10):
        raise BadInput("The form does not say what it began from: load the page anew.")
    return int(began)


def _require_topic(service: Service, slug: str) -> None:
    if slug not in service.topics:
        raise HTTPException(HTTPStatus.NOT_FOUND)


def _may_decide(who: SignedIn) -> bool:
    return who.account.role != "viewer"


def _saved(service: Service, slug: str) -> RedirectResponse:
    service.soon("digest")
    return led_to(service, f"/desk/topics/{slug}?saved=1")
