from __future__ import annotations

import pytest

from aggregator.errors import BadInput
from aggregator.flows.editorial import save_brief
from aggregator.flows.writing import Saved
from aggregator.rules.briefs import BriefError
from aggregator.store import briefs
from tests.flows.briefs import SLUG, TEXT, brief, pick, release, write
from tests.flows.wire import Desk, entry

FIRST, SECOND = TEXT.strip().split("\n\n")[2:]
ADA = TEXT.replace("on Tuesday ", "")
BO = TEXT.replace("from Paris", "from Brussels")


async def save(desk: Desk, text: str, *, base: int = 1, by: str = "ada") -> Saved:
    return await save_brief(desk.database, desk.clock, SLUG, text, base=base, by=by)


async def picked(desk: Desk) -> dict[str, int]:
    return {link.passage: link.story_id for link in brief(desk).links}


async def with_picks(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await write(desk)
    await pick(desk, "1", passage="p1")
    await pick(desk, "2", passage="p2")


async def test_what_an_editor_types_is_the_next_revision(desk: Desk) -> None:
    await write(desk)
    assert await save(desk, ADA) == Saved(2, ADA, 2)
    assert await save(desk, ADA, base=2) == Saved(2, ADA, 2)
    assert brief(desk).revisions == 2


async def test_two_people_write_in_two_paragraphs_and_both_texts_stand(desk: Desk) -> None:
    await write(desk)
    await save(desk, ADA)
    saved = await save(desk, BO, by="bo")
    assert (saved.number, saved.mine, saved.is_merged, saved.clashes) == (4, 3, True, ())
    assert brief(desk).revision.text == ADA.replace("from Paris", "from Brussels")


async def test_whoever_goes_on_writing_while_a_text_is_saved_begins_from_their_own(desk: Desk) -> None:
    await write(desk)
    await save(desk, ADA)
    saved = await save(desk, BO, by="bo")
    on = BO.replace("from Brussels", "from Brussels itself")
    saved = await save(desk, on, base=saved.mine, by="bo")
    assert (saved.clashes, saved.text) == ((), ADA.replace("from Paris", "from Brussels itself"))


async def test_a_text_that_holds_the_others_changes_already_is_saved_once(desk: Desk) -> None:
    await with_picks(desk)
    theirs = TEXT.replace(FIRST, f"Something else came first today.\n\n{FIRST}")
    await save(desk, theirs)
    mine = theirs.replace("from Paris", "from Brussels")
    saved = await save(desk, mine, by="bo")
    assert (saved.number, saved.mine, saved.text) == (3, 3, mine)
    assert await picked(desk) == {"p2": 1, "p3": 2}


async def test_a_paragraph_that_both_changed_is_shown_and_neither_text_is_lost(desk: Desk) -> None:
    await write(desk)
    theirs, mine = TEXT.replace("Tuesday", "Monday"), TEXT.replace("Tuesday", "Wednesday")
    await save(desk, theirs)
    saved = await save(desk, mine, by="bo")
    (clash,) = saved.clashes
    assert ("Tuesday" in clash.base, "Wednesday" in clash.mine, "Monday" in clash.theirs) == (True,) * 3
    assert (saved.number, brief(desk).revision.text.strip()) == (4, theirs.strip())
    assert saved.text_of_mine.strip() == mine.strip()
    kept = desk.database.read_now(lambda s: briefs.revision_numbered(s, brief(desk).id, 3))
    assert kept is not None
    assert (kept.text, kept.saved_by) == (mine, "bo")


async def test_a_text_that_is_no_brief_is_not_saved(desk: Desk) -> None:
    await write(desk)
    with pytest.raises(BriefError, match="at least one paragraph"):
        await save(desk, "Only a title")
    with pytest.raises(BadInput, match="no revision 7"):
        await save(desk, ADA, base=7)
    assert brief(desk).revisions == 1


async def test_picks_follow_their_paragraphs_when_one_is_put_before_them(desk: Desk) -> None:
    await with_picks(desk)
    await save(desk, TEXT.replace(FIRST, f"Something else came first today.\n\n{FIRST}"))
    assert await picked(desk) == {"p2": 1, "p3": 2}


async def test_picks_follow_two_paragraphs_that_change_places(desk: Desk) -> None:
    await with_picks(desk)
    await save(desk, TEXT.replace(FIRST, "#").replace(SECOND, FIRST).replace("#", SECOND))
    assert await picked(desk) == {"p2": 1, "p1": 2}


async def test_picks_of_a_paragraph_that_is_cut_and_pasted_wait_for_it(desk: Desk) -> None:
    await with_picks(desk)
    await save(desk, TEXT.replace(f"{FIRST}\n\n", ""))
    assert await picked(desk) == {"gone-1-p1": 1, "p1": 2}
    await save(desk, f"{TEXT.replace(f'{FIRST}', 'A new opening.')}\n{FIRST}\n", base=2)
    assert await picked(desk) == {"p3": 1, "p2": 2}


async def test_a_pick_without_its_paragraph_is_not_published(desk: Desk) -> None:
    await with_picks(desk)
    await save(desk, TEXT.replace(f"{FIRST}\n\n", ""))
    await release(desk)
    (act,) = desk.database.read_now(lambda s: briefs.publications(s))
    assert [(link.passage, link.story_id) for link in act.links] == [("p1", 2)]
    # And there is nothing more to tell.
    assert await release(desk) is None
