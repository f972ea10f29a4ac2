"""What a published brief says about itself, in its own language; English where ours ends."""

from __future__ import annotations

from datetime import datetime

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date

_SENTENCES = {
    "en": {
        "sources": "Sources",
        "corrected": "Corrected on {day}.",
        "corrected_why": "Corrected on {day}: {why}",
        "withdrawn": "Withdrawn: {title}",
        "notice": "This brief was withdrawn on {day}.",
        "story_notice": "This story was taken back by its source on {day}.",
        "reason": "Reason: {why}",
    },
    "fr": {
        "sources": "Sources",
        "corrected": "Corrigé le {day}.",
        "corrected_why": "Corrigé le {day} : {why}",
        "withdrawn": "Retiré : {title}",
        "notice": "Cette brève a été retirée le {day}.",
        "story_notice": "Cet article a été retiré par sa source le {day}.",
        "reason": "Motif : {why}",
    },
    "de": {
        "sources": "Quellen",
        "corrected": "Berichtigt am {day}.",
        "corrected_why": "Berichtigt am {day}: {why}",
        "withdrawn": "Zurückgezogen: {title}",
        "notice": "Diese Meldung wurde am {day} zurückgezogen.",
        "story_notice": "Dieser Bericht wurde von seiner Quelle am {day} zurückgezogen.",
        "reason": "Grund: {why}",
    },
    "es": {
        "sources": "Fuentes",
        "corrected": "Corregido el {day}.",
        "corrected_why": "Corregido el {day}: {why}",
        "withdrawn": "Retirado: {title}",
        "notice": "Esta nota fue retirada el {day}.",
        "story_notice": "Esta noticia fue retirada por su fuente el {day}.",
        "reason": "Motivo: {why}",
    },
    "it": {
        "sources": "Fonti",
        "corrected": "Corretto il {day}.",
        "corrected_why": "Corretto il {day}: {why}",
        "withdrawn": "Ritirato: {title}",
        "notice": "Questa nota è stata ritirata il {day}.",
        "story_notice": "Questa notizia è stata ritirata dalla sua fonte il {day}.",
        "reason": "Motivo: {why}",
    },
    "pl": {
        "sources": "Źródła",
        "corrected": "Sprostowano {day}.",
        "corrected_why": "Sprostowano {day}: {why}",
        "withdrawn": "Wycofano: {title}",
        "notice": "Ta informacja została wycofana {day}.",
        "story_notice": "Ta wiadomość została wycofana przez źródło {day}.",
        "reason": "Powód: {why}",
    },
    "uk": {
        "sources": "Джерела",
        "corrected": "Виправлено {day}.",
        "corrected_why": "Виправлено {day}: {why}",
        "withdrawn": "Відкликано: {title}",
        "notice": "Цю новину відкликано {day}.",
        "story_notice": "Джерело відкликало цю новину {day}.",
        "reason": "Причина: {why}",
    },
    "ru": {
        "sources": "Источники",
        "corrected": "Исправлено {day}.",
        "corrected_why": "Исправлено {day}: {why}",
        "withdrawn": "Отозвано: {title}",
        "notice": "Эта новость отозвана {day}.",
        "story_notice": "Источник отозвал эту новость {day}.",
        "reason": "Причина: {why}",
    },
}


def say(sentence: str, language: str, *, at: datetime | None = None, why: str = "", title: str = "") -> str:
    """A sentence of a brief about itself, by its name, in a language (BCP 47)."""
    known = language.split("-")[0].lower()
    if known not in _SENTENCES:
        known = "en"
    day = day_in_words(at, known) if at is not None else ""
    return _SENTENCES[known][sentence].format(day=day, why=why, title=title)


def day_in_words(at: datetime, language: str) -> str:
    """18 février 2025, 18. Februar 2025, 18 лютого 2025 р."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en", "GB")
    return format_date(at, format="long", locale=Locale("en", "GB") if locale.language == "en" else locale)
