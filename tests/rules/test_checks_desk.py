from __future__ import annotations

from aggregator.rules.briefs import read_brief
from aggregator.rules.checks import PickSeen, Support, check_links, check_picks, check_support

TEXT = (
    "Title\n\n2025-02-18\n\nSee [the report](#) and [the map](https://wire.example/map) today in the city.\n"
)


def test_a_link_that_leads_nowhere_is_shown() -> None:
    (found,) = check_links(read_brief(TEXT, language="en"))
    assert (found.kind, found.passage, found.brief) == ("link", "p1", "the report")
    assert read_brief(TEXT, language="en").passages[1].text[found.start : found.end] == "the report"


def test_a_link_outside_the_passages_belongs_to_the_brief_as_a_whole() -> None:
    text = "Title\n\n[18/02/2025](#)\n\nA paragraph that says something about the war.\n"
    (found,) = check_links(read_brief(text, language="en"))
    assert (found.passage, found.brief) == ("", "18/02/2025")


def test_a_passage_without_stories_is_unsupported_and_one_with_one_agency_has_a_single_source() -> None:
    found = check_support(
        [
            Support("p1", "They met.", ()),
            Support("p2", "They left.", (("reuters", "https://a.example"), ("reuters", "https://b.example"))),
            Support("p3", "They wrote.", (("reuters", "https://a.example"), ("ap", "https://c.example"))),
            Support("p4", "They ought to be ashamed.", (), is_claim=False),
        ]
    )
    assert [(c.kind, c.passage, c.brief) for c in found] == [
        ("unsupported", "p1", "They met."),
        ("single_source", "p2", "They left."),
    ]
    assert found[1].stories == ("https://a.example", "https://b.example")
    assert "reuters" in found[1].message


def test_a_picked_story_that_changed_or_went_is_shown() -> None:
    found = check_picks(
        [
            PickSeen("p1", "They met.", "https://a.example", seen=1, newest=1),
            PickSeen("p1", "They met.", "https://b.example", seen=1, newest=3),
            PickSeen(
                "p2", "They left.", "https://c.example", seen=1, newest=1, replaced_by="https://d.example"
            ),
            PickSeen("p2", "They left.", "https://e.example", seen=2, newest=2, is_withdrawn=True),
        ]
    )
    assert [(c.kind, c.stories) for c in found] == [
        ("superseded", ("https://b.example",)),
        ("superseded", ("https://c.example", "https://d.example")),
        ("killed", ("https://e.example",)),
    ]
