"""Quotations: the same words of the same speaker, otherwise in the sources of the brief's language.

Translated words differ from paper to paper, so two agencies must quote alike before a brief that
differs is doubted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from aggregator.language.names import same_name
from aggregator.language.quotes import Quotation, quotations
from aggregator.language.text import words
from aggregator.rules.checking.evidence import Telling, Wire
from aggregator.rules.checking.values import Brief, Check, Paragraph
from aggregator.rules.checking.votes import Votes, doubted

#: Shorter quotations are soon alike by chance.
FEWEST_WORDS = 4
#: From this likeness of their words on (0 to 1) two quotations are one sentence.
SAME_SENTENCE = 0.7


def check_quotations(brief: Brief, wire: Wire) -> Iterator[Check]:
    """Quotations whose words at least two agencies of the same language give otherwise."""
    before = ""
    for passage in brief.passages:
        for quotation in quotations(passage.text, brief.language, before=before):
            if quotation.speaker and len(words(quotation.text)) >= FEWEST_WORDS:
                yield from _check(passage, quotation, brief.language, wire)
        before = passage.text


def _check(passage: Paragraph, quotation: Quotation, language: str, wire: Wire) -> Iterator[Check]:
    own = _bare(quotation.text)
    votes: Votes[str] = Votes()
    for telling in _quoting(quotation.speaker or "", language, wire):
        for told in _quotations(telling.text, language):
            bare = _bare(told.text)
            if f" {own} " in f" {bare} " or f" {bare} " in f" {own} " or own in _bare(telling.text):
                return
            if len(bare.split()) >= FEWEST_WORDS and _likeness(own, bare) >= SAME_SENTENCE:
                votes.add(bare, telling, (told.start, told.end))
    verdict = votes.verdict()
    if verdict is not None:
        says = verdict.words(language)
        message = f"“{quotation.text}”: {verdict.told_by} quote these words as “{says}”."
        yield doubted("quote", passage, (quotation.start, quotation.end), says, verdict, message)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.split(), other.split()).ratio()


def _quoting(speaker: str, language: str, wire: Wire) -> Sequence[Telling]:
    """Stories in the brief's language that name the speaker."""
    family = speaker.split()[-1]
    return [
        telling
        for telling in wire.tellings
        if telling.language == language
        and any(same_name(family, language, mention.name, language) for mention in telling.mentions)
    ]


@lru_cache(maxsize=1 << 11)
def _quotations(text: str, language: str) -> tuple[Quotation, ...]:
    return tuple(quotations(text, language))


@lru_cache(maxsize=1 << 13)
def _bare(text: str) -> str:
    return " ".join(words(text))
