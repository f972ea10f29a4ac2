"""What the commands print for other programs: JSON on standard output, and nothing else there."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from aggregator.demo.wire import demo_briefs
from tests.acceptance.desk import Desk, Done
from tests.acceptance.wires import NewsWire

STORY = [
    "id",
    "url",
    "title",
    "summary",
    "language",
    "published",
    "updated",
    "first_seen",
    "source",
    "versions",
    "topics",
    "cluster",
]
SUGGESTION = ["url", "title", "source", "language", "published", "score", "cluster", "copies", "reasons"]
SEED = ("seed", "brief-2025-02-18.fr.txt")


@pytest.fixture(scope="module")
def brief(morning: Desk) -> str:
    return (morning.folder / "slug").read_text()


@pytest.fixture(scope="module")
def stories(morning: Desk) -> list[dict[str, Any]]:
    done = morning.run("stories", "--limit", "0", "--json")
    assert done.err == ""
    return done.rows


def test_poll_counts_what_it_did(morning: Desk) -> None:
    said = json.loads((morning.folder / "poll.json").read_text())
    assert list(said) == ["sources", "unchanged", "new", "changed", "failed", "seconds"]
    assert (said["sources"], said["unchanged"], said["changed"], said["failed"]) == (12, 0, 0, {})
    assert said["new"] > 80
    assert isinstance(said["seconds"], float)


def test_poll_counts_failures_by_their_kind_and_tells_them_beside_the_output(
    desk: Desk, wire: NewsWire
) -> None:
    desk.run("sources", "add", f"{wire.url}/gone", "--no-check")
    failed = desk.run("poll", "--json")
    assert failed.row["failed"] == {"not_found": 1}
    told = desk.run("poll")
    assert told.out.startswith("1 sources asked in ")
    assert "no feed at this address" in told.err


def test_a_story_has_every_field_that_other_programs_rely_on(
    stories: list[dict[str, Any]], wire: NewsWire
) -> None:
    assert len(stories) > 80
    for story in stories:
        assert list(story) == STORY
        assert isinstance(story["id"], int)
        assert story["url"].startswith(wire.url)
        assert story["source"].keys() == {"name", "url"}
        assert story["source"]["url"] in wire.feeds
        assert story["versions"] == 1
        assert set(story["topics"]) <= {"ukraine-talks"}
        assert datetime.fromisoformat(story["first_seen"]).utcoffset() is not None
    moments = [datetime.fromisoformat(story["published"] or story["updated"]) for story in stories]
    assert moments == sorted(moments, reverse=True)
    assert len({story["language"] for story in stories}) == 10


def test_stories_are_found_by_words_language_topic_and_day(
    morning: Desk, stories: list[dict[str, Any]]
) -> None:
    words = ["stories", "riyad*", "--topic", "ukraine-talks", "--language", "fr", "--since", "2025-02-17"]
    found = morning.run(*words, "--limit", "3", "--json").rows
    assert 0 < len(found) <= 3
    assert all(story in stories for story in found)
    for story in found:
        assert story["language"] == "fr"
        assert story["topics"] == ["ukraine-talks"]
        assert story["published"] >= "2025-02-17"
        assert "riyad" in f"{story['title']} {story['summary']}".lower()


def test_sources_list_says_how_each_is_doing(morning: Desk, wire: NewsWire) -> None:
    done = morning.run("sources", "list", "--json")
    assert sorted(source["url"] for source in done.rows) == sorted(wire.feeds)
    for source in done.rows:
        assert source["failure"] is None
        assert source["stories"] > 0
        assert source["why"]
        assert source["title"]
    assert done.err == ""


def test_a_topic_says_why_a_story_is_in_and_why_not(morning: Desk, stories: list[dict[str, Any]]) -> None:
    verdicts = morning.run("topics", "test", "ukraine-talks", "--days", "36500", "--json").rows
    assert all(list(verdict) == ["id", "title", "in", "why"] and verdict["why"] for verdict in verdicts)
    taken = {verdict["id"] for verdict in verdicts if verdict["in"]}
    assert taken == {story["id"] for story in stories if story["topics"]}
    assert len(taken) > 20
    assert morning.run("topics", "list", "--json").rows == [
        {"slug": "ukraine-talks", "title": "Ukraine talks", "stories": len(taken)}
    ]


def test_a_brief_is_shown_with_its_passages_and_picks(morning: Desk, brief: str, wire: NewsWire) -> None:
    shown = morning.run("briefs", "show", brief, "--json").row
    assert (shown["slug"], shown["state"], shown["date"]) == (brief, "published", "2025-02-18")
    assert [passage["id"] for passage in shown["passages"]] == [f"p{n}" for n in range(12)]
    assert shown["passages"][7]["quotations"][0]["speaker"]
    assert {
        (pick["passage"], pick["role"], pick["url"].removeprefix(wire.url)) for pick in shown["picks"]
    } == {
        ("p1", "background", "/der-kanalbote/tschernobyl-schutzhuelle"),
        ("p1", "source", "/dziennik-trzech-mostow/rozmowy-w-rijadzie"),
    }
    (listed,) = morning.run("briefs", "list", "--json").rows
    assert listed["slug"] == brief


def test_link_suggests_from_the_archive_with_reasons(
    morning: Desk, brief: str, stories: list[dict[str, Any]]
) -> None:
    done = morning.run("link", brief, "--json")
    check_suggestions(done, {story["url"]: f"{story['title']}\n{story['summary']}" for story in stories})


def test_link_suggests_from_a_file_and_needs_no_database(
    tmp_path: Path, stories: list[dict[str, Any]]
) -> None:
    (tmp_path / "brief.txt").write_text(demo_briefs()[0][1], encoding="utf-8")
    rows = [{**story, "source": story["source"]["name"]} for story in stories]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "stories.jsonl").write_text(lines, encoding="utf-8")
    done = Desk(tmp_path).run("link", "brief.txt", "--stories", "stories.jsonl", "--json")
    check_suggestions(done, {story["url"]: f"{story['title']}\n{story['summary']}" for story in stories})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brief.txt", "stories.jsonl"]


def check_suggestions(done: Done, texts: dict[str, str]) -> None:
    """The form that DESIGN gives, each reason a verbatim span of the brief and of the story."""
    found = done.row
    assert list(found) == ["brief", "passages", "stories", "checks"]
    assert done.err == ""
    assert [passage["id"] for passage in found["passages"]] == [f"p{n}" for n in range(12)]
    suggested = [(p, s) for p in found["passages"] for s in p["suggestions"]]
    assert len(suggested) > 12
    for passage, suggestion in suggested:
        assert list(suggestion) == SUGGESTION
        assert suggestion["reasons"], suggestion
        for reason in suggestion["reasons"]:
            assert list(reason) == ["kind", "brief", "story"]
            assert reason["brief"] in passage["text"]
            assert reason["story"] in texts[suggestion["url"]]
    scores = [story["score"] for story in found["stories"]]
    assert scores == sorted(scores, reverse=True)
    assert {suggestion["url"] for _, suggestion in suggested} <= {story["url"] for story in found["stories"]}


def test_doctor_looks_at_everything_and_says_what_is_not_well(morning: Desk) -> None:
    findings = morning.run("doctor", "--json", code=1).rows
    assert all(list(finding) == ["name", "well", "says"] for finding in findings)
    state = {finding["name"]: finding["well"] for finding in findings}
    assert [name for name, is_well in state.items() if not is_well] == ["accounts"]
    assert {"schema", "integrity", "search", "documents", "clock", "sources", "disk"} <= state.keys()


def test_doctor_is_content_with_a_desk_that_has_an_account(
    morning: Desk, copy_of: Callable[[Desk], Desk]
) -> None:
    desk = copy_of(morning)
    desk.run("init", "--name", "ann")
    assert all(line.startswith("ok ") for line in desk.run("doctor").out.splitlines())


def test_doctor_mends_what_can_be_made_again(morning: Desk, copy_of: Callable[[Desk], Desk]) -> None:
    desk = copy_of(morning)
    desk.run("init", "--name", "ann")
    with contextlib.closing(sqlite3.connect(desk.file)) as connection:
        connection.execute(
            "UPDATE document SET gzip = br, body = br WHERE channel = 'briefs' AND format = 'atom'"
        )
        connection.commit()
    assert "NO  documents: briefs.atom: readers get" in desk.run("doctor", code=1).out
    mended = desk.run("doctor", "--mend")
    assert "Mended, as far as that goes: documents." in mended.err
    assert all(line.startswith("ok ") for line in mended.out.splitlines())
    documents = "SELECT body FROM document WHERE channel = 'briefs' AND format = 'atom'"
    assert desk.rows(documents) == morning.rows(documents)


def test_doctor_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    assert "There is no database wirebrief.db" in Desk(tmp_path).run("doctor", code=1).err
    assert list(tmp_path.iterdir()) == []


def test_publishing_again_changes_nothing_and_writes_every_channel(morning: Desk, tmp_path: Path) -> None:
    rows = morning.run("publish", "--out", tmp_path, "--json").rows
    assert [(row["channel"], row["new"], row["rendered"]) for row in rows] == [
        ("ukraine-talks", False, 0),
        ("briefs", False, 0),
    ]
    written = {
        path.name for path in tmp_path.iterdir() if path.suffix in (".atom", ".rss", ".json", ".ninjs")
    }
    formats = ("atom", "rss", "json", "ninjs")
    assert written == {f"{name}.{format}" for name in ("briefs", "ukraine-talks") for format in formats}


def test_what_is_followed_goes_out_as_opml_and_comes_in_again(
    morning: Desk, desk: Desk, wire: NewsWire
) -> None:
    (desk.folder / "list.opml").write_text(morning.run("sources", "export").out, encoding="utf-8")
    assert desk.run("sources", "import", "list.opml").out.startswith("12 feeds named, 12 of them new.")
    assert desk.run("sources", "import", "list.opml").out.startswith("12 feeds named, 0 of them new.")
    assert sorted(url for (url,) in desk.rows("SELECT url FROM source")) == sorted(wire.feeds)


def test_an_address_is_checked_without_following_it(desk: Desk, wire: NewsWire) -> None:
    checked = desk.run("sources", "check", wire.feeds[0], "--json").row
    assert checked["feed"]["format"] == "atom10"
    assert checked["feed"]["entries"] > 3
    page = desk.run("sources", "check", f"{wire.url}/two-feeds", "--json").row
    assert page["feed"] is None
    assert len(page["found"]) == 2
    assert desk.count("source") == 0


def test_help_names_every_command_and_each_says_what_it_does(tmp_path: Path) -> None:
    said = Desk(tmp_path).run("--help").out
    verbs = re.findall(r"^  (\w+) {2,}\S", said.partition("Commands:")[2], re.MULTILINE)
    wanted = (
        "backup briefs channels demo doctor init keys link migrate partners pick poll publish restore run schedule"
        " serve sources stories topics users worker"
    )
    assert sorted(verbs) == wanted.split()


def test_the_brief_that_everything_began_with_imports_as_it_stands(
    desk: Desk, shared: Callable[..., Path]
) -> None:
    done = desk.run("briefs", "import", shared(*SEED), "--json").row
    assert (done["new"], done["changed"], done["language"], done["date"]) == (True, True, "fr", "2025-02-18")
    assert done["title"] == "Les États-Unis et la Russie se rencontrent pour des pourparlers sans l'Ukraine"
    passages = done["passages"]
    assert [passage["id"] for passage in passages] == [f"p{n}" for n in range(13)]
    labels = [passage["label"] for passage in passages if passage["label"]]
    assert labels == ["Pas d'invitation", "Situation", "Trump et Poutine"]
    said = [(q["speaker"] or "", q["text"]) for passage in passages for q in passage["quotations"]]
    for speaker, words in (
        ("Peskov", "rétablissement de l'ensemble des relations américano-russes"),
        ("Zelensky", "Nous ne pouvons reconnaître [...] aucun accord qui nous concerne sans notre présence."),
        ("Hegseth", "irréaliste"),
        ("Hegseth", "La poursuite de cet objectif illusoire"),
        ("Hegseth", "soutenue par des troupes européennes et non européennes compétentes"),
        ("Hegseth", "les États-Unis ne déploieront pas de troupes en Ukraine"),
        ("Trump", "très bien s'entendre"),
    ):
        assert any(speaker in who and words in text for who, text in said), (speaker, said)
    links = [link for passage in passages for link in passage["links"]]
    assert links == [{"text": "Le « prince de Russie » prophétisé", "url": ""}]
    assert "brochure" in done["read_more"]
    again = desk.run("briefs", "import", shared(*SEED), "--json").row
    assert again == done | {"new": False, "changed": False}
