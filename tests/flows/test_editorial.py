from __future__ import annotations

from datetime import date, timedelta

import pytest

from aggregator.errors import BadInput
from aggregator.flows.editorial import (
    SLUG_LENGTH,
    correct_brief,
    import_brief,
    make_slug,
    pick_story,
    publish_brief,
    withdraw_brief,
)
from aggregator.model import Act, BriefState, Role
from aggregator.rules.briefs import BriefError, read_brief
from aggregator.store import briefs
from tests.flows.briefs import SLUG, TEXT, brief, pick, release, write
from tests.flows.wire import Desk, entry

HOUR = timedelta(hours=1)
CORRECTED = TEXT.replace("Tuesday", "Monday")
PAGE = "https://wire.example/stories/1"


def acts(desk: Desk) -> list[Act]:
    return [done.act for done in desk.database.read_now(lambda s: briefs.publications(s))]


async def correct(desk: Desk, text: str = CORRECTED, why: str = "It was Monday.") -> Act | None:
    return (await correct_brief(desk.database, desk.clock, SLUG, text, by="bob", why=why))[1]


async def withdraw(desk: Desk, why: str = "It was not so.") -> Act | None:
    return (await withdraw_brief(desk.database, desk.clock, SLUG, by="bob", why=why))[1]


async def test_a_brief_is_saved_as_its_editor_wrote_it(desk: Desk) -> None:
    imported = await import_brief(desk.database, desk.clock, TEXT, by="ada")
    assert (imported.slug, imported.is_new, imported.is_changed) == (SLUG, True, True)
    kept = brief(desk)
    assert (kept.state, kept.revisions, kept.revision.text) == (BriefState.DRAFT, 1, TEXT)
    assert (kept.revision.title, kept.revision.dated) == (
        "Talks open in Riyadh without Kyiv", date(2025, 2, 18),
    )  # fmt: skip


async def test_a_brief_imported_twice_is_one_brief(desk: Desk) -> None:
    await write(desk)
    imported = await import_brief(desk.database, desk.clock, f"\n\n{TEXT}\n", by="ada")
    assert (imported.is_new, imported.is_changed) == (False, False)
    assert brief(desk).revisions == 1
    assert len(desk.database.read_now(briefs.all_briefs)) == 1


async def test_a_brief_imported_with_another_text_has_a_second_revision(desk: Desk) -> None:
    await write(desk)
    imported = await import_brief(desk.database, desk.clock, CORRECTED, by="bob")
    assert (imported.is_new, imported.is_changed) == (False, True)
    assert (brief(desk).revisions, brief(desk).revision.text) == (2, CORRECTED)


async def test_a_brief_imported_under_a_name_keeps_it_whatever_its_title(desk: Desk) -> None:
    for text in (TEXT, TEXT.replace("Riyadh", "Doha")):
        await import_brief(desk.database, desk.clock, text, by="ada", slug="talks")
    assert brief(desk, "talks").revisions == 2


async def test_a_name_of_digits_is_no_number_of_another_brief(desk: Desk) -> None:
    await write(desk)
    number = brief(desk).id
    imported = await import_brief(desk.database, desk.clock, TEXT, by="ada", slug=str(number))
    assert (imported.slug, imported.is_new) == (str(number), True)


async def test_what_is_no_brief_is_not_saved(desk: Desk) -> None:
    with pytest.raises(BriefError):
        await write(desk, "Only a title")
    assert desk.database.read_now(briefs.all_briefs) == []


def slug(title: str, day: str = "2025-02-18") -> str:
    return make_slug(read_brief(f"---\nlanguage: en\n---\n{title}\n\n{day}\n\nThey met.\n"))


def test_a_brief_is_named_by_its_date_and_title() -> None:
    assert slug("Les États-Unis & la Russie") == "2025-02-18-les-etats-unis-la-russie"
    assert slug("They meet", day="") == "they-meet"


def test_briefs_in_other_scripts_have_names_of_their_own() -> None:
    names = {slug(title) for title in ("Переговори 2025", "Війна 2025", "Переговори", "محادثات")}
    assert len(names) == 4
    assert all(name.startswith("2025-02-18-") and name.isascii() for name in names)


def test_long_titles_that_begin_alike_have_names_of_their_own() -> None:
    long = "the delegations met again and again " * 4
    assert slug(f"{long}here") != slug(f"{long}there")
    assert len(slug(long, day="")) <= SLUG_LENGTH


async def test_a_story_is_picked_once_for_a_passage(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    assert await pick(desk, PAGE)
    assert not await pick(desk, PAGE)
    (link,) = brief(desk).links
    assert (link.passage, link.role, link.picked_by) == ("p1", Role.SOURCE, "ada")


async def test_a_pick_may_change_its_role_and_be_undone(desk: Desk) -> None:
    (story,) = await desk.hears(entry(1))
    await write(desk)
    await pick(desk, str(story.id))
    assert await pick(desk, str(story.id), role=Role.QUOTE)
    assert [link.role for link in brief(desk).links] == [Role.QUOTE]
    assert await pick(desk, str(story.id), undo=True)
    assert not await pick(desk, str(story.id), undo=True)
    assert brief(desk).links == ()


@pytest.mark.parametrize(
    ("name", "passage", "story", "message"),
    [
        ("nothing", "p1", PAGE, "There is no brief 'nothing': `wirebrief briefs list`"),
        (SLUG, "p3", PAGE, r"has no passage 'p3': it has p0 \(its title\) to p2"),
        (SLUG, "p1", "https://wire.example/none", "There is no story 'https://wire.example/none'"),
    ],
)
async def test_a_pick_that_names_nothing_says_what(
    desk: Desk, name: str, passage: str, story: str, message: str
) -> None:
    await desk.hears(entry(1))
    await write(desk)
    with pytest.raises(BadInput, match=message):
        await pick_story(desk.database, desk.clock, name, passage, story, by="ada")


async def test_a_brief_is_published_once_and_updated_when_something_changed(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    assert await release(desk) is Act.PUBLISHED
    assert await release(desk) is None
    await pick(desk, PAGE)
    assert await release(desk) is Act.UPDATED
    await write(desk, CORRECTED)
    assert await release(desk) is Act.UPDATED
    assert await release(desk) is None
    assert brief(desk).state is BriefState.PUBLISHED


async def test_a_text_that_went_back_to_what_readers_have_is_no_update(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await write(desk, CORRECTED)
    await write(desk, TEXT)
    assert await release(desk) is None


async def test_a_brief_that_does_not_exist_is_not_published(desk: Desk) -> None:
    with pytest.raises(BadInput, match="There is no brief"):
        await publish_brief(desk.database, desk.clock, "nothing", by="ada")


async def test_a_correction_replaces_the_text_and_says_why(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    assert await correct(desk) is Act.CORRECTED
    last = desk.database.read_now(lambda s: briefs.publications(s))[-1]
    assert (last.revision.text, last.why, last.by) == (CORRECTED, "It was Monday.", "bob")


async def test_a_correction_that_changes_nothing_is_none(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    assert await correct(desk, TEXT) is None
    assert acts(desk) == [Act.PUBLISHED]


async def test_a_correction_that_was_saved_before_still_reaches_its_readers(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await write(desk, CORRECTED)
    assert await correct(desk) is Act.CORRECTED


async def test_only_what_is_published_can_be_corrected_and_only_by_a_brief(desk: Desk) -> None:
    await write(desk)
    with pytest.raises(BadInput, match="is not published, so there is nothing to correct"):
        await correct(desk)
    await release(desk)
    with pytest.raises(BriefError):
        await correct(desk, "Only a title")
    assert brief(desk).revisions == 1


async def test_a_brief_is_withdrawn_once_and_for_a_reason(desk: Desk) -> None:
    await write(desk)
    with pytest.raises(BadInput, match="was never published"):
        await withdraw(desk)
    await release(desk)
    with pytest.raises(BadInput, match="Say why"):
        await withdraw(desk, why=" ")
    assert await withdraw(desk, " It was not so. ") is Act.WITHDRAWN
    assert await withdraw(desk) is None
    assert brief(desk).state is BriefState.WITHDRAWN
    assert desk.database.read_now(lambda s: briefs.publications(s))[-1].why == "It was not so."


async def test_a_withdrawn_brief_does_not_come_back(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await withdraw(desk)
    with pytest.raises(BadInput, match="was withdrawn, and its readers were told so"):
        await release(desk)
    with pytest.raises(BadInput, match="is not published"):
        await correct(desk)


async def test_withdrawing_publishes_no_text_that_was_only_saved(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await import_brief(desk.database, desk.clock, TEXT.replace("Riyadh", "Secret"), by="ada", slug=SLUG)
    await withdraw(desk)
    assert desk.database.read_now(lambda s: briefs.publications(s))[-1].revision.text == TEXT
