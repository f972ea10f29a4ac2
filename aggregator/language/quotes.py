"""Quotations in a text, each with who said it where the text does.

Marks of every newsroom: « », » «, “ ”, „ “, „ ”, ‚ ‘, " ", 「 」; single marks only where they
clearly quote. The speaker is read beside a verb of saying (`speech`) in French, English, German,
Spanish, Italian, Polish, Ukrainian and Russian. Where nothing says who speaks, nobody is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aggregator.language import speech
from aggregator.language.marks import Marked, blanked, marked_in
from aggregator.language.text import Span

#: How far from a quotation its verb may stand, and how far from the verb its subject.
_FAR = 160
#: How far back a sentence or the name of a "he" is looked for, in characters.
_BACK = 2_000
#: Words between a verb of saying and what it quotes where no "that" and no colon leads to it.
_NEAR_WORDS = 4
#: A quotation of fewer words that stands alone is a title or a distance, not somebody's sentence.
_SENTENCE_WORDS = 4

_SENTENCE_END = re.compile(r"[.!?…](?=[\s»”\"]*\s+[^\W\d_a-zà-öø-ÿа-яёіїєґ])|\n\s*\n")
#: A full stop after one of these ends no sentence: M. Hegseth, U.S. officials.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|Mr|Mrs|Ms|Mme|MM|Mlle|Dr|Prof|Sen|Gov|Gen|Rep|Sr|Sra|St|ul|im)$"
)
_TOKEN = re.compile(r"[^\W\d_][\w’'ʼ\-]*")
_POSSESSIVES = ("'s", "’s")
_SIGN = re.compile(r"[,;:()–—]")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|dell|all|dall|nell|un)['’](?=\w)", re.IGNORECASE)
_INVERTED = re.compile(r"-(?:t-)?(?:il|elle|ils|elles|on)(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words that a text gives as another's."""

    #: Verbatim, without the marks and the spaces inside them: `text[start:end]` of what was read.
    text: str
    start: int
    end: int
    #: As the text names who spoke, without title; None where it does not say.
    speaker: str | None = None
    #: Where the name stands in the text; None where it stands in the text before, or nowhere.
    speaker_span: Span | None = None


@dataclass(frozen=True, slots=True)
class _Name:
    """A capitalised run, and whether a preposition or a genitive leads into it."""

    text: str
    start: int
    end: int
    is_governed: bool
    is_genitive: bool


def quotations(text: str, language: str | None, *, before: str = "") -> list[Quotation]:
    """The quotations of a text, in order, none within another.

    `language` is ISO 639-1, or None to try all. `before` is what the reader has just read (the
    paragraph above), where "he said" finds its name.
    """
    reader = _Reader(text, language, before)
    found: list[Quotation] = []
    for marked in reader.marked:
        speaker = reader.speaker(marked, found[-1] if found else None)
        inner = marked.inner
        quotation = Quotation(text[inner.start : inner.end], inner.start, inner.end)
        found.append(quotation if speaker is None else _spoken(quotation, speaker))
    return found


def announced_speaker(text: str, language: str | None, *, before: str = "") -> Quotation | None:
    """Who speaks next, where a paragraph ends on a colon: "En 2023, M. Flurry a averti :".

    Given as an empty quotation at the end of the text, with its speaker; None where it
    announces nobody.
    """
    bare = text.rstrip()
    if not bare.endswith((":", "：")):
        return None
    end = len(bare)
    reader = _Reader(text, language, before)
    speaker = reader.speaker(Marked(Span(end, end), Span(end, end)), None)
    return None if speaker is None else _spoken(Quotation("", end, end), speaker)


def _spoken(quotation: Quotation, speaker: _Name) -> Quotation:
    span = Span(speaker.start, speaker.end) if speaker.start >= 0 else None
    return replace(quotation, speaker=speaker.text, speaker_span=span)


class _Reader:
    """One text with its marks, its names and its verbs of saying."""

    def __init__(self, text: str, language: str | None, before: str) -> None:
        self._text = text
        self._language = language
        self._before = before
        self._verbs = speech.verbs(language)
        self._pronouns = speech.pronouns(language)
        self.marked = marked_in(text)
        #: Quoted words name nobody who speaks about them, so names and verbs are read without.
        self._plain = blanked(text, self.marked)

    def speaker(self, marked: Marked, previous: Quotation | None) -> _Name | None:
        """Who says these words, by what stands around them."""
        after = self._plain[marked.outer.end : self._clause_end(marked.outer.end)]
        inside = self._text[marked.inner.start : marked.inner.end]
        # “Yes,” he said, and « Oui », a-t-il dit: a comma or a dash binds what follows.
        is_bound = after.lstrip()[:1] in {",", "-", "–", "—"} or inside.endswith((",", "!", "?"))
        ways = (self._by_after, self._by_before) if is_bound else (self._by_before, self._by_after)
        for way in ways:
            name = way(marked, previous)
            if name is not None:
                return name
        return self._by_going_on(marked, inside, previous)

    def _by_going_on(self, marked: Marked, inside: str, previous: Quotation | None) -> _Name | None:
        """A quoted sentence that stands alone goes on with who spoke just before."""
        stands_alone = not self._plain[self._sentence_start(marked.outer.start) : marked.outer.start].strip()
        if not stands_alone or len(inside.split()) < _SENTENCE_WORDS:
            return None
        return _named(previous)

    def _by_after(self, marked: Marked, previous: Quotation | None) -> _Name | None:
        """« … », a déclaré X · “…,” X said · « … », a-t-il dit."""
        start, end = marked.outer.end, self._clause_end(marked.outer.end)
        verb = self._verbs.search(self._plain, start, end)
        if verb is None:
            return None
        if self._last_pronoun(start, verb.start()) >= 0 or self._is_pronoun_next(verb, end):
            return self._last_named(marked.outer.start, previous)
        named_before = self._subject_before(start, verb)
        if named_before is not None:
            return named_before
        following = self._plain[verb.end() : end]
        name = _subject(self._names(verb.end(), end), is_last=False)
        if name is not None and not _leads_away(self._plain[verb.end() : name.start]):
            return name
        if self._language in speech.PRO_DROP and _says_no_subject(following):
            return self._last_named(marked.outer.start, previous)
        return None

    def _by_before(self, marked: Marked, previous: Quotation | None) -> _Name | None:
        """X a déclaré que « … » · Il a ajouté : « … » · Am Dienstag sagte X: „…“."""
        end = marked.outer.start
        start = self._sentence_start(end)
        verbs = list(self._verbs.finditer(self._plain, start, end))
        if not verbs:
            return self._by_colon(start, end)
        verb = verbs[-1]
        between = self._plain[verb.end() : end]
        subject = self._subject_before(start, verb)
        pronoun = self._last_pronoun(start, verb.start())
        if not _leads_to_speech(between) and len(between.split()) > _NEAR_WORDS:
            return None
        if pronoun >= 0 and (subject is None or pronoun > subject.start):
            return self._last_named(start, previous)
        if subject is not None:
            return subject
        return self._by_inversion(verb, between, end, previous)

    def _subject_before(self, start: int, verb: re.Match[str]) -> _Name | None:
        """The name before a verb that is its subject: of "the French minister said", none."""
        names = self._names(start, verb.start())
        return _subject([name for name in names if self._is_head(name, verb.start())], is_last=True)

    def _is_head(self, name: _Name, verb: int) -> bool:
        between = self._plain[name.end : verb]
        if " " in name.text or _SIGN.search(between):
            return True
        return all(speech.stands_between(word) for word in _tokens(between))

    def _by_colon(self, start: int, end: int) -> _Name | None:
        """Zelensky : « … »: a name and a colon, as headlines have it."""
        head = self._plain[start:end].strip()
        names = self._names(start, end)
        is_headline = len(names) == 1 and head.endswith(":") and head[:-1].rstrip() == names[0].text
        return names[0] if is_headline else None

    def _by_inversion(
        self, verb: re.Match[str], between: str, end: int, previous: Quotation | None
    ) -> _Name | None:
        """The subject after its verb; a colon or a "that" must then lead to the quotation."""
        if not _leads_to_speech(between):
            return None
        if self._is_pronoun_next(verb, end):
            return self._last_named(verb.start(), previous)
        name = _subject(self._names(verb.end(), end), is_last=False)
        if name is not None and not _leads_away(self._plain[verb.end() : name.start]):
            return name
        is_silent = self._language in speech.PRO_DROP and _says_no_subject(between)
        return self._last_named(verb.start(), previous) if is_silent else None

    def _is_pronoun_next(self, verb: re.Match[str], end: int) -> bool:
        lead = self._plain[max(0, verb.start() - 8) : verb.end() + 8]
        if _INVERTED.search(lead):
            return True
        after = _TOKEN.search(self._plain, verb.end(), end)
        return after is not None and after[0].casefold() in self._pronouns

    def _last_pronoun(self, start: int, end: int) -> int:
        """Where the last pronoun of a stretch begins; -1 where it has none."""
        tokens = _TOKEN.finditer(self._plain, start, end)
        return max((token.start() for token in tokens if token[0].casefold() in self._pronouns), default=-1)

    def _last_named(self, at: int, previous: Quotation | None) -> _Name | None:
        """Whom "he" means: who spoke last, else who was named last as a subject."""
        if (name := _named(previous)) is not None:
            return name
        if (name := _subject(self._names(max(0, at - _BACK), at), is_last=True)) is not None:
            return name
        name = _subject(list(_names(blanked(self._before, marked_in(self._before)))), is_last=True)
        return None if name is None else replace(name, start=-1, end=-1)

    def _names(self, start: int, end: int) -> list[_Name]:
        return list(_names(self._plain, start, end))

    def _sentence_start(self, at: int) -> int:
        start = max(0, at - _BACK)
        for end in _sentence_ends(self._plain, start, at):
            start = end
        return start

    def _clause_end(self, at: int) -> int:
        limit = min(
            [at + _FAR, len(self._plain), *(m.outer.start for m in self.marked if m.outer.start >= at)]
        )
        return next(_sentence_ends(self._plain, at, limit), limit)


def _sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text, start, end):
        if match[0] != "." or not _ABBREVIATION.search(text[max(0, match.start() - 6) : match.start()]):
            yield match.end()


def _names(text: str, start: int = 0, end: int | None = None) -> Iterator[_Name]:
    """The capitalised runs between two places, without titles and sentence openers."""
    run: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        first, last = _without_elision(match)
        if run and not _goes_on(text, run[-1][1], first):
            yield from _name(text, run, start)
            run = []
        if text[first].isupper() or (run and text[first:last] in speech.PARTICLES):
            run.append((first, last))
        elif run:
            yield from _name(text, run, start)
            run = []
    yield from _name(text, run, start)


def _without_elision(match: re.Match[str]) -> tuple[int, int]:
    elision = _ELISION.match(match[0])
    return match.start() + (elision.end() if elision else 0), match.end()


def _goes_on(text: str, end: int, start: int) -> bool:
    """True where nothing but a space, or the full stop of a title, parts two words."""
    between = text[end:start]
    return between.strip() == "" and "\n" not in between if between != ". " else True


def _name(text: str, run: list[tuple[int, int]], floor: int) -> Iterator[_Name]:
    words = [text[first:last] for first, last in run]
    # Of "Ukraine’s Petrov" only Petrov speaks.
    owners = [number for number, word in enumerate(words[:-1], 1) if word.endswith(_POSSESSIVES)]
    if owners:
        words, run = words[owners[-1] :], run[owners[-1] :]
    while words and (speech.is_opener(words[0]) or speech.is_title(words[0])):
        words, run = words[1:], run[1:]
    while words and not words[-1][0].isupper():
        words, run = words[:-1], run[:-1]
    if not words:
        return
    start, end = run[0][0], run[-1][1]
    is_possessive = words[-1].endswith(_POSSESSIVES)
    end -= 2 * is_possessive
    leading = _governor(text[floor:start])
    is_governed = is_possessive or leading in speech.PREPOSITIONS
    yield _Name(text[start:end], start, end, is_governed, leading in speech.GENITIVES)


def _governor(lead: str) -> str:
    """The word that leads into a name, over its article and titles, with no sign between."""
    for word in reversed(_tokens(_SIGN.split(lead)[-1])):
        bare = word.casefold()
        if bare not in speech.ARTICLES and not speech.is_title(word):
            return bare
    return ""


def _subject(names: list[_Name], *, is_last: bool) -> _Name | None:
    """The name that can be a subject: one in full first, one behind an "of" last."""
    free = [name for name in names if not name.is_governed and not name.is_genitive]
    genitive = [name for name in names if name.is_genitive]
    chosen = free or genitive
    if not chosen:
        return None
    if is_last:
        return chosen[-1]
    return next((name for name in chosen if " " in name.text), chosen[0])


def _named(quotation: Quotation | None) -> _Name | None:
    if quotation is None or quotation.speaker is None:
        return None
    span = quotation.speaker_span or Span(-1, -1)
    return _Name(quotation.speaker, span.start, span.end, is_governed=False, is_genitive=False)


def _leads_away(between: str) -> bool:
    """True where a preposition or a clause parts a verb from the name after it."""
    away = speech.PREPOSITIONS | speech.COMPLEMENTISERS
    return any(token.casefold() in away for token in _tokens(between))


def _leads_to_speech(between: str) -> bool:
    if between.rstrip().endswith((":", ",", "：")):
        return True
    return any(token.casefold() in speech.COMPLEMENTISERS for token in _tokens(between))


def _tokens(text: str) -> list[str]:
    """The words of a stretch, with qu' and l' apart from theirs."""
    return _TOKEN.findall(_ELISION.sub(lambda elided: elided[0][:-1] + " ", text))


def _says_no_subject(following: str) -> bool:
    """True where the verb stands alone: at the end, before a sign, or before "in", "to", "that"."""
    bare = following.lstrip()
    first = _TOKEN.match(bare)
    if first is None:
        return True
    word = first[0].casefold()
    return word in speech.PREPOSITIONS or word in speech.COMPLEMENTISERS
