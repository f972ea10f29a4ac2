"""What moves in a text by itself and is no news: counters, clocks, "3 minutes ago".

Only a line, a sentence or a bracket that says nothing else counts as such. So "12 comments" behind
a summary may change as it likes, while "12 dead" and "The petition got 12 comments" are news.
"""

from __future__ import annotations

import re
from functools import cache

from aggregator.language.date_words import calendar
from aggregator.language.text import fold

#: The longest stretch that is looked at, in characters.
LONGEST = 80

#: The languages whose counters and clocks are known.
LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "uk", "ru")

#: Where one stretch ends and the next begins: lines, marks between parts, ends of sentences.
_MARKS = "|·•‧∙●♦\r"
_STOPS = ".!?…"
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,80})[)\]]")
_EDGES = " \t\u00a0\u202f.,;:!…-–—*»«>"
_APART = re.compile(r"[\s\u200b:,;'’/–—-]+")

# Everything below is folded: no accents, no capitals. What may be news by itself (votes, points,
# goals, seats) is left out on purpose.
_COUNTED = (
    "comments? views? shares? likes? reactions? replies reply reads? upvotes? plays? page.?views? retweets? "
    "commentaires? vues? partages? lectures? "
    "kommentare? aufrufe? geteilt reaktionen "
    "comentarios? visitas? vistas? compartidos? lecturas? "
    "comment[oi] visualizzazion[ei] condivision[ei] letture "
    "komentarz(?:e|y|a)? wyswietlen(?:ia|ie)? udostepnien(?:ia|ie)? odslon(?:y|a)? polubien(?:ia|ie)? "
    "комментари(?:и|ев|я|й) просмотр(?:ов|а|ы)? репост(?:ов|а|ы)? лайк(?:ов|а|и)? прочтени(?:и|й|я|е) "
    "коментар(?:ів|і|и|я)? перегляд(?:ів|и|у|а)? поширен(?:ь|ня) вподобан(?:ь|ня)"
)
_SAID_BEFORE = (
    "read viewed shared seen lu vu partage gelesen visto leido leida letto letta przeczytano wyswietlono "
    "прочитано просмотрено переглянуто"
)
_TIMES = "times|fois|mal|veces|volte|razy|раз|раза|разів|рази"
_SHORT_UNITS = "s|sec|m|min|mins|mn|h|hr|hrs|d|w|j|std|tys|godz|ч|мин|хв|год|сек|дн"
_UNITS = (
    "secs? seconds? mins? minutes? hours? hrs? days? weeks? months? years? secondes? heures? jours? semaines? mois "
    "ans? sekunden? minuten? stunden? tag(?:en|e)? wochen? monat(?:en|e)? jahr(?:en|e)? "
    "segundos? minutos? horas? dias? semanas? mes(?:es)? anos? "
    "second[io] minut[io] or[ae] giorn[io] settiman[ae] mes[ei] ann[io] "
    "sekund(?:y|e|a)? minut(?:y|e|a)? godzin(?:y|e|a)? dni dzien tydzien tygodni(?:e)? miesiac(?:e)? miesiecy rok lata "
    "lat секунд(?:ы|у|а)? минут(?:ы|у|а)? час(?:а|ов|у)? день дня днеи дней недел(?:и|ь|ю|я) месяц(?:а|ев)? года? лет "
    "хвилин(?:и|у|а)? годин(?:и|у|а)? день дні днів тиждень тижні тижнів місяц(?:і|ів|ь)? рік роки років"
)
_A = "an?|une?|ein(?:e[rnm]?)?|una|uno"
_ABOUT = "about|around|environ|etwa|circa|около|близько"
_AGO = "il y a|vor|hace"
_JUST_NOW = (
    "just now|a l instant|gerade eben|soeben|ahora mismo|proprio ora|przed chwila|przed momentem"
    "|только что|щойно"
)
_STAMPED = (
    "(?:last |latest |first )?(?:updated?|modified|edited|published|posted)|last (?:update|change)"
    "|(?:derniere )?(?:mise a jour|maj|modification)|mise? a jour|modifie|publie|actualise"
    "|(?:zuletzt )?(?:aktualisiert|geandert|veroffentlicht)|letzte (?:aktualisierung|anderung)|stand"
    "|(?:ultima )?(?:actualizacion|actualizad[oa]|modificacion|publicad[oa])"
    "|(?:ultimo )?(?:aggiornamento|aggiornat[oa]|pubblicat[oa])|ultima modifica"
    "|(?:ostatnia )?(?:aktualizacja|zaktualizowano|opublikowano|dodano)"
    "|(?:последнее )?(?:обновление|обновлено|изменено|опубликовано)"
    "|(?:останне )?(?:оновлення|оновлено|змінено|опубліковано)"
)
#: What a moment is written with, besides digits, months and days of the week.
_OF_A_CLOCK = (
    "am pm h hrs gmt utc bst cet cest est edt pst pdt mst et ct pt msk eet eest ist jst z uhr at on the of um le a de "
    "del di du den der dem el la las los ore alle o godz godzinie r г р в о год року года today heute hui aujourd d "
    "hoy oggi dzisiaj dzis сегодня сьогодні yesterday hier gestern ayer ieri wczoraj вчера вчора time local th st nd "
    "rd er am klo"
)
_CLOCK_WORDS = frozenset(_OF_A_CLOCK.split())
_READING = (
    "(?:estimated )?read(?:ing)? time|time to read|temps de lecture|duree de lecture|lesezeit|lesedauer"
    "|tiempo de lectura|tempo di lettura|czas (?:czytania|lektury)|время (?:чтения|прочтения)"
    "|час (?:читання|прочитання)"
)
_TO_READ = (
    "(?:to )?read(?:ing(?: time)?)?|de lecture|lesezeit|de lectura|di lettura|czytania"
    "|чтения|на прочтение|читання"
)
_NUMBER = r"\d[\d. \u00a0\u202f]*(?:k|m|mln|mio|tys|тыс|тис|млн)?\+?"


def settled(text: str) -> str:
    """The text without what moves by itself, white space made one; all of it where it says nothing else."""
    if not text:
        return ""
    plain = _BRACKETS.sub(_without_clock, text) if "(" in text or "[" in text else text
    # Replacing one by one takes a quarter of the time of a pattern, and every text of the wire passes here.
    for mark in _MARKS:
        plain = plain.replace(mark, "\n")
    for stop in _STOPS:
        plain = plain.replace(f"{stop} ", f"{stop}\n")
    kept = [part for part in plain.split("\n") if len(part) > LONGEST or not is_cosmetic(part)]
    return " ".join(" ".join(kept).split()) or " ".join(text.split())


def is_cosmetic(part: str) -> bool:
    """Whether a stretch of a text says nothing but a count, a clock or how long it takes to read."""
    folded = _folded(part)
    return bool(folded) and (_counter().fullmatch(folded) is not None or _is_moment(folded))


def _without_clock(found: re.Match[str]) -> str:
    folded = _folded(found[1])
    # Counts in brackets may be news: (1,200 shares).
    return " " if folded and _is_moment(folded) else found[0]


def _folded(part: str) -> str:
    """A short stretch as the patterns know it; "" for one that cannot be cosmetic."""
    if len(part) > LONGEST:
        return ""
    bare = part.strip(_EDGES)
    if _begins_otherwise(bare[:3].lower()):
        return ""
    if not (_DIGIT.search(part) or _may_be_now(part)):
        return ""
    return _APART.sub(" ", fold(bare)).strip(_EDGES)


_DIGIT = re.compile(r"\d")
#: 18, 10.32, 10h32.
_DIGITS = re.compile(r"\d+(?:[.h]\d+)*")


def _may_be_now(part: str) -> bool:
    """Just now, an hour ago: the few that say a moment without a digit are short."""
    return len(part) < 40 and len(part.split()) in (1, 2, 3, 4, 5)


def _begins_otherwise(begun: str) -> bool:
    """Whether three letters are enough to tell: so most sentences need not be folded."""
    if not begun.isascii() or not begun[:1].isalpha():
        return False
    long, short = _beginnings()
    return begun not in long and begun[:2] not in short and begun[:1] not in short


@cache
def _beginnings() -> tuple[frozenset[str], frozenset[str]]:
    """What everything that the patterns know begins with: three letters, or fewer. Some more do no harm."""
    known = "|".join(
        (*_COUNTED.split(), *_SAID_BEFORE.split(), _STAMPED, _READING, _JUST_NOW, _AGO, _ABOUT, _A)
    )
    # What an ending may be begins nothing.
    known = re.sub(r"(?<=\w)\(\?:[^()]*\)|\[\w*\]", "", known)
    runs = re.findall(r"(?:^|[(|:?])([^\W\d_]+)", known)
    optional = re.findall(r"\b(\w\w?)\w\?", known)
    return frozenset(run[:3] for run in runs), frozenset({run for run in runs if len(run) < 3} | {*optional})


@cache
def _counter() -> re.Pattern[str]:
    counted = "|".join(_COUNTED.split())
    said = "|".join(_SAID_BEFORE.split())
    return re.compile(
        rf"(?:{_NUMBER} ?(?:{counted})|(?:{counted}) ?{_NUMBER}|(?:{said}) {_NUMBER} ?(?:{_TIMES})?"
        rf"|{_NUMBER} (?:{_TIMES}) (?:{said}))(?: and counting)?"
    )


@cache
def _moment() -> re.Pattern[str]:
    units = f"{_SHORT_UNITS}|{'|'.join(_UNITS.split())}"
    span = rf"(?:(?:{_ABOUT}) )?(?:\d+|{_A}) ?(?:{units})"
    ago = rf"(?:{_AGO}) {span}|{span} (?:ago|fa|temu|назад|тому(?: назад)?)|{_JUST_NOW}"
    reading = rf"(?:{_READING}) (?:\d+|{_A}) ?(?:{units})?|\d+ ?(?:{units}) (?:{_TO_READ})"
    return re.compile(rf"(?:(?:{_STAMPED}) )?(?:{ago})|{reading}|\d+ ?(?:{_SHORT_UNITS})")


@cache
def _stamp() -> re.Pattern[str]:
    return re.compile(rf"(?:{_STAMPED}) (?P<at>.*\d.*)")


@cache
def _dates() -> frozenset[str]:
    """The words of months and weekdays in all languages."""
    return frozenset(
        word
        for language in LANGUAGES
        for names in (calendar(language).months, calendar(language).short_days, calendar(language).days)
        for name in names
        for word in name.split()
    )


def _is_moment(folded: str) -> bool:
    if _moment().fullmatch(folded) is not None:
        return True
    stamped = _stamp().fullmatch(folded)
    return stamped is not None and all(_is_of_a_moment(word) for word in stamped["at"].split())


def _is_of_a_moment(word: str) -> bool:
    bare = word.strip(".()+")
    if digits := _DIGITS.match(bare):
        rest = bare[digits.end() :]
        return not rest or rest in _CLOCK_WORDS
    return not bare or bare in _CLOCK_WORDS or bare in _dates()
