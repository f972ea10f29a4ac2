"""Tables of words in several languages, and how they are found in a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.language import lexicon
from aggregator.language.lexicon import Found, Lexicon, read_attributes, read_table
from aggregator.language.text import spans

TABLE = Lexicon(
    [
        ("talks", {"en": "talk=|talks=|negotiat", "de": "verhandlung", "fr": "pourparler"}),
        ("ceasefire", {"en": "cease-fire|truce", "de": "waffenstillstand"}),
        ("call_off", {"en": "call= * off=|calls= * off="}),
        ("act", {"en": "act"}),
        ("ab", {"en": "ab||"}),
    ]
)
DATA = Path(lexicon.__file__).parent / "data"


def found(text: str, language: str = "en") -> list[tuple[str, str]]:
    words = spans(text)
    return [
        (each.key, text[words[each.first].start : words[each.last].end])
        for each in TABLE.find(words, language)
    ]


def test_a_beginning_finds_the_forms_of_a_word() -> None:
    assert found("Negotiators negotiated") == [("talks", "Negotiators"), ("talks", "negotiated")]


def test_a_whole_word_is_found_as_it_stands_only() -> None:
    assert found("They talk; talked, talking and talks") == [("talks", "talk"), ("talks", "talks")]


def test_a_short_beginning_leaves_room_for_few_letters() -> None:
    assert found("acts acting activists") == [("act", "acts")]
    assert found("abs abbey") == [("ab", "abs")]


def test_words_in_a_row_are_one_entry() -> None:
    assert found("a cease-fire, a cease of fire") == [("ceasefire", "cease-fire")]


def test_a_star_leaves_room_for_two_words() -> None:
    assert found("call off the talk") == [("call_off", "call off"), ("talks", "talk")]
    assert found("calls the whole off") == [("call_off", "calls the whole off")]
    assert found("calls all the rest off") == []
    assert found("they call") == []


def test_a_german_compound_is_what_its_last_word_says() -> None:
    text = "Waffenstillstandsverhandlungen"
    assert found(text, "de") == [("talks", text)]
    assert found("Waffenstillstands", "de") == [("ceasefire", "Waffenstillstands")]
    assert found("Friedensverhandlungen", "de") == [("talks", "Friedensverhandlungen")]


def test_a_language_without_a_column_finds_nothing() -> None:
    assert TABLE.find(spans("talks"), "tr") == []
    assert not TABLE.is_known("talks", "tr")


def test_a_word_of_an_entry_of_several_is_not_known_by_itself() -> None:
    assert TABLE.is_known("truce", "en")
    assert not TABLE.is_known("cease", "en")
    assert not TABLE.is_known("peace", "en")


def test_what_was_looked_up_is_forgotten_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MOST_KNOWN", 3)
    table = Lexicon([("truce", {"en": "truce"})])
    text = spans("one two three truce five truce")
    assert table.find(text, "en") == [Found("truce", 3, 3), Found("truce", 5, 5)]
    assert len(table._known["en"]) <= 3


def scripted(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "trial.tsv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(lexicon, "files", lambda _: folder)


def test_columns_that_are_no_language_are_attributes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = "# How it was made.\nid\tfamily\ten\tfr\nwar\tviolence\twar=\t\ntalks\t\ttalk\tpourparler\n"
    scripted(monkeypatch, tmp_path, rows)
    assert read_table("trial") == [("war", {"en": "war="}), ("talks", {"en": "talk", "fr": "pourparler"})]
    assert read_attributes("trial", "family") == {"war": "violence"}


def test_a_table_without_the_column_has_no_attributes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripted(monkeypatch, tmp_path, "id\ten\nwar\twar\n")
    assert read_attributes("trial", "country") == read_attributes("trial", "en") == {}
    assert read_attributes("trial", "id") == {"war": "war"}


def test_a_row_that_is_too_short_is_a_mistake_of_the_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripted(monkeypatch, tmp_path, "id\ten\tfr\nwar\twar\n")
    with pytest.raises(ValueError, match="shorter"):
        read_table("trial")


@pytest.mark.parametrize("name", ["concepts", "offices", "organisations", "places"])
def test_every_table_that_ships_has_rows_of_one_id_each(name: str) -> None:
    ids = [key for key, _ in read_table(name)]
    assert len(ids) > 50
    assert len(ids) == len(set(ids))


def test_an_entry_in_capitals_is_found_in_capitals_only() -> None:
    table = Lexicon([("idf", {"en": "IDF="}), ("fed", {"en": "Fed="}), ("truce", {"de": "waffen="})])
    assert [each.key for each in table.find(spans("IDF idf Idf Fed fed"), "en")] == ["idf", "fed"]
    assert table.find(spans("Schusswaffen"), "de") == []
