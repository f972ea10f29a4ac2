"""Quotations and who said them, as the wires of eight languages write."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.marks import MOST_QUOTATIONS
from aggregator.language.quotes import announced_speaker, quotations


def said(text: str, language: str | None, before: str = "") -> list[tuple[str | None, str]]:
    return [(found.speaker, found.text) for found in quotations(text, language, before=before)]


@pytest.mark.parametrize(
    ("language", "text", "speaker"),
    [
        ("fr", "« Rien n'est décidé », a déclaré le porte-parole, Paul Martin.", "Paul Martin"),
        ("fr", "Selon Rome, M. Martin a également affirmé que « rien n'est décidé ».", "Martin"),
        ("fr", "Anna Petit a mis en garde : « Le temps presse. »", "Anna Petit"),
        ("fr", "Mardi, a expliqué Anna Petit, que « rien n'est signé ».", "Anna Petit"),
        ("fr", "Petit : « Le temps presse. »", "Petit"),
        ("en", "“We are close,” Smith said on Tuesday.", "Smith"),
        ("en", '"We are close," said Foreign Minister John Smith after the meeting in Rome.', "John Smith"),
        ("en", "In Rome, Prime Minister Ann Smith’s aide called it “a first step”.", None),
        ("en", "Kremlin spokesman Ivan Petrov told reporters the talks were ‘useful and frank’.", "Ivan Petrov"),
        ("en", "A spokesman of the Kremlin said talks were “useful enough”.", "Kremlin"),
        ("en", "Rome's John Smith said it was “a first step”.", "John Smith"),
        ("de", "„Wir sind bereit“, sagte Bundeskanzlerin Anna Schmidt am Dienstag in Berlin.", "Anna Schmidt"),
        ("de", "Außenminister Karl Weber warnte: »Die Zeit drängt.«", "Karl Weber"),
        ("de", "Am Montag sagte Ursula von der Leyen: „Die Zeit drängt.“", "Ursula von der Leyen"),
        ("de", "Weber betonte, Europa müsse ‚mehr tun als bisher‘.", "Weber"),
        ("es", "«No aceptaremos nada», dijo el presidente Juan Pérez en Roma.", "Juan Pérez"),
        ("it", '"Non siamo pronti", ha detto Rossi.', "Rossi"),
        ("pl", "„Nie jesteśmy gotowi” – powiedział premier Jan Kowalski.", "Jan Kowalski"),
        ("pl", "Kowalski podkreślił, że „czas nagli”.", "Kowalski"),
        ("uk", "«Ми не готові», – сказала Олена Коваль.", "Олена Коваль"),
        ("ru", "«Мы не готовы», — сказал Иван Петров журналистам.", "Иван Петров"),
        ("ru", "Петров заявил: «Время не ждёт».", "Петров"),
    ],
)  # fmt: skip
def test_the_speaker_stands_beside_a_verb_of_saying(language: str, text: str, speaker: str | None) -> None:
    [(found, _)] = said(text, language)
    assert found == speaker


@pytest.mark.parametrize(
    ("language", "before", "text", "speaker"),
    [
        (
            "fr",
            "",
            "Paul Martin juge cela « irréaliste ». « Le temps presse », a-t-il déclaré.",
            "Paul Martin",
        ),
        ("fr", "Paul Martin est arrivé lundi.", "Il a ajouté que « le temps presse ».", "Paul Martin"),
        ("en", "John Smith arrived.", "“We are close,” he said.", "John Smith"),
        ("en", "", "Smith said it was “a step”. “No one is being left out here.”", "Smith"),
        ("de", "", "Weber kam an. „Wir sind bereit“, sagte er.", "Weber"),
        ("de", "Weber kam an.", "Am Abend sagte er: „Wir sind bereit.“", "Weber"),
        ("es", "", "Juan Pérez llegó a Roma. «Europa está lista», afirmó.", "Juan Pérez"),
        ("it", "Rossi è arrivato.", "Ha detto che «il tempo stringe».", "Rossi"),
        ("pl", "", "Kowalski przyjechał. „Czas nagli” – dodał w Rzymie.", "Kowalski"),
        ("pl", "Kowalski przyjechał.", "Napisał list. „Czas nagli” – dodał.", "Kowalski"),
        ("uk", "", "Коваль заявила, що «час спливає». «Це наша позиція», – додала вона.", "Коваль"),
        ("en", "Nobody was there.", "“We are close,” he said.", "Nobody"),
        ("en", "", "“We are close,” he said.", None),
    ],
)
def test_he_is_whom_the_text_named_last(language: str, before: str, text: str, speaker: str | None) -> None:
    assert said(text, language, before)[-1][0] == speaker


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Le film « La nuit » sort mercredi."),
        ("fr", "Comme l'explique M. Petit dans Le « prince des neiges » illustré, l'hiver vient."),
        ("en", "The “Anora” team went home."),
        ("en", "The French minister said it was “a step”."),
        ("en", "The United States has a “large-scale” plan."),
        ("en", "Smith said the talks of the last three weeks went on in a “castle”."),
        ("en", "“Yes,” the minister said."),
        ("es", "«Europa está lista», dijo el ministro."),
        ("fr", "« Non », a déclaré lors d'un voyage à Rome le ministre."),
    ],
)
def test_a_title_or_an_unnamed_voice_has_no_speaker(language: str, text: str) -> None:
    [(speaker, _)] = said(text, language)
    assert speaker is None


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("« A b » et «c d»", ["A b", "c d"]),
        ('„Ja“ »Nein« ‚so gut‘ „Tak” “Yes” "No"', ["Ja", "Nein", "so gut", "Tak", "Yes", "No"]),
        ("「停战」と『平和』", ["停战", "平和"]),
        ("« Il dit : « non » et part »", ["Il dit : « non » et part"]),
        ("It's the '90s, rock 'n' roll and 'a nice thing' too", ["a nice thing"]),
        ('a 6" gun and " loose', []),
        ("« » “…” ''", []),
        ("“one\n\ntwo”", []),
        ("«" * 12 + "a", []),
        ('"open "again" here', ["again"]),
        ("« jamais fermé", []),
        ("", []),
    ],
)
def test_marks_of_every_newsroom_are_read(text: str, quoted: list[str]) -> None:
    assert [found.text for found in quotations(text, None)] == quoted


def test_a_quotation_and_its_speaker_are_verbatim_spans_of_the_text() -> None:
    text = "Hier, le président Paul Martin a dit : « Le temps [...] presse. »"
    [found] = quotations(text, "fr")
    assert text[found.start : found.end] == found.text == "Le temps [...] presse."
    assert found.speaker_span is not None
    assert text[found.speaker_span.start : found.speaker_span.end] == found.speaker == "Paul Martin"


def test_a_speaker_named_in_the_text_before_has_no_place_in_this_one() -> None:
    [found] = quotations("“We are close,” he said.", "en", before="John Smith arrived.")
    assert (found.speaker, found.speaker_span) == ("John Smith", None)


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("En 2023, M. Petit a averti :", "Petit"),
        ("In March, Ann Smith warned:", "Ann Smith"),
        ("Trois points restent ouverts :", None),
        ("Petit a averti hier.", None),
        ("Smith:", "Smith"),
    ],
)
def test_a_line_that_ends_on_a_colon_announces_who_speaks_next(text: str, speaker: str | None) -> None:
    announced = announced_speaker(text, None)
    assert (announced and announced.speaker) == speaker


MARKS = st.text(alphabet="«»“”„‚‘’\"'「」 aбЯ.,:\n-", max_size=80)


@given(MARKS, st.sampled_from(["fr", "en", "de", "uk", "xx", None]), MARKS)
def test_every_quotation_stands_where_it_says(text: str, language: str | None, before: str) -> None:
    at = 0
    for found in quotations(text, language, before=before):
        assert at <= found.start < found.end
        assert text[found.start : found.end] == found.text == found.text.strip()
        at = found.end
        if found.speaker_span is not None:
            assert text[found.speaker_span.start : found.speaker_span.end] == found.speaker


@pytest.mark.parametrize("flood", ["« a ", '"a ', "«", '" ', "'a b' ", "Petit a dit « oui ». ", "“a "])
def test_a_flood_of_marks_is_read_in_no_time(flood: str) -> None:
    began = perf_counter()
    assert len(quotations(flood * 20_000, "fr")) <= MOST_QUOTATIONS
    assert perf_counter() - began < 5
