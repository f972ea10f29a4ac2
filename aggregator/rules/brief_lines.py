"""The lines of a brief that are not prose: its date line, its "read more" line, its labels."""

from __future__ import annotations

import re
from datetime import date

from aggregator.errors import BadInput
from aggregator.language import speech
from aggregator.language.text import fold

#: A label is short: "Pas d'invitation", "What we know".
_LABEL_WORDS = 7
_LABEL_CHARACTERS = 60


class BriefError(BadInput):
    """A text cannot be read as a brief; the message says what to change."""


_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{2,4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?")
_DAY_NAMED = re.compile(
    r"(\d{1,2})(?:er|st|nd|rd|th|[.ºª])?\s+(?:de\s+|of\s+)?([^\W\d_]+)\.?,?\s+(?:de\s+)?(\d{4})"
)
_MONTH_NAMED = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
#: What may stand before a date alone on its line: a weekday, "Publié le".
_BEFORE = re.compile(r"[^\W\d_][-’'\w]*\.?,?\s+(?:den\s+|el\s+|le\s+)?")
#: And what after it: the word for year.
_AFTER = re.compile(r"\s*(?<![^\W\d_])(?:року|года|roku|[ргr]\.?)$")
_MARKER = re.compile(r"^\s*[-*+•–—]\s+")

_MONTHS = (
    "janvier january januar enero gennaio stycznia styczen січня січень января январь jan janv ene",
    "fevrier february februar febrero febbraio lutego luty лютого лютий февраля февраль feb fevr",
    "mars march marz maerz marzo marca marzec березня березень марта март mar",
    "avril april abril aprile kwietnia kwiecien квітня квітень апреля апрель apr avr abr",
    "mai may mayo maggio maja maj травня травень мая май",
    "juin june juni junio giugno czerwca czerwiec червня червень июня июнь jun",
    "juillet july juli julio luglio lipca lipiec липня липень июля июль jul juil",
    "aout august agosto sierpnia sierpien серпня серпень августа август aug ago",
    "septembre september septiembre settembre wrzesnia wrzesien вересня вересень сентября сентябрь sep sept",
    "octobre october oktober octubre ottobre pazdziernika pazdziernik жовтня жовтень октября октябрь oct okt",
    "novembre november noviembre listopada listopad листопада листопад ноября ноябрь nov",
    "decembre december dezember diciembre dicembre grudnia grudzien грудня грудень декабря декабрь dec dez",
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}

_READ_MORE = re.compile(
    r"""(?:
      (?:pour\ )?en\ savoir\ plus | (?:a\ )?lire\ (?:aussi|egalement|la\ suite) | lire\ plus
    | read\ more | learn\ more | find\ out\ more | further\ reading | more\ on\ this
    | mehr\ (?:dazu|erfahren|lesen|zum\ thema) | weiterlesen | lesen\ sie\ (?:auch|mehr)
    | mas\ informacion | leer\ mas | lea\ (?:tambien|mas) | para\ saber\ mas
    | per\ saperne\ di\ piu | leggi\ (?:anche|di\ piu) | leggi\ tutto
    | czytaj\ (?:wiecej|tez|takze|dalej) | wiecej\ na\ ten\ temat | dowiedz\ sie\ wiecej
    | читати\ (?:далі|більше) | читайте\ також | докладніше | детальніше | дізнатися\ більше
    | читать\ (?:далее|дальше) | читайте\ также | подробнее | узнать\ больше
    )(?![^\W_])""",
    re.VERBOSE,
)


def read_date(line: str) -> date | None:
    """The date that a line consists of, in digits or in words of eight languages.

    Day before month where both are digits, as the desk writes. None where the line is no date.

    Raises:
        BriefError: it is written as a date, and there is no such day.
    """
    bare = _AFTER.sub("", _MARKER.sub("", line).strip().rstrip(","))
    dated = _whole_date(line, bare)
    weekday = _BEFORE.match(bare)
    return dated if dated or not weekday else _whole_date(line, bare[weekday.end() :])


def _whole_date(line: str, bare: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(bare):
        return _date(line, found[1], int(found[2]), found[3])
    if found := _DAY_FIRST.fullmatch(bare):
        return _date(line, found[3], int(found[2]), found[1])
    if (found := _DAY_NAMED.fullmatch(bare)) and (month := _MONTH_OF.get(fold(found[2]))):
        return _date(line, found[3], month, found[1])
    if (found := _MONTH_NAMED.fullmatch(bare)) and (month := _MONTH_OF.get(fold(found[1]))):
        return _date(line, found[3], month, found[2])
    return None


def _date(line: str, year: str, month: int, day: str) -> date:
    if len(year) != 4:
        raise BriefError(
            f'The date "{line.strip()}" has no full year: write it with four digits, as 18/02/2025.'
        )
    try:
        return date(int(year), month, int(day))
    except ValueError as error:
        raise BriefError(f'There is no day "{line.strip()}": write day/month/year, as 18/02/2025.') from error


def read_more_label(line: str) -> str | None:
    """How a closing line leads its reader on ("En savoir plus"), verbatim; None where it does not.

    A colon must follow, or nothing: "More on this week's talks" is prose.
    """
    head = re.split(r"\s*[:：→]", line, maxsplit=1)[0].strip(" .…>»")
    return head if head and len(head) <= _LABEL_CHARACTERS and _READ_MORE.fullmatch(fold(head)) else None


_LABEL = re.compile(r"([^\s:：.!?«»“”„\"][^:：.!?«»“”„\"\n]*?)\s?[:：]\s+(?=\S)")


def label_of(text: str, language: str | None) -> str | None:
    """The label that opens a paragraph ("Situation : …"), verbatim and without its colon.

    None where it has none: a colon after a verb of saying, or before a quotation, opens speech.
    """
    found = _LABEL.match(text[: _LABEL_CHARACTERS + 8])
    if found is None or text[found.end()] in '«“„"‘‚':
        return None
    label = found[1]
    is_label = (
        len(label) <= _LABEL_CHARACTERS and len(label.split()) <= _LABEL_WORDS and not label[0].islower()
    )
    return label if is_label and not speech.verbs(language).search(label) else None
