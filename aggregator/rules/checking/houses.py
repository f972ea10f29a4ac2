"""Houses that spokesmen speak for, in eight languages: the presidency, ministries, alliances."""

from __future__ import annotations

import re

#: Words of the longest house and what may follow it.
MOST_WORDS = 3

_WRITTEN = {
    "presidency": r"""
        kremlin\w*|kreml\w*|cremlin\w*|кремл\w*|white\ house|maison[\ -]blanche|casa\ blanca|casa\ bianca
        |wei(?:ss|ß)e[sn]?\ haus\w*|bia[lł]\w+\ dom\w*|бел\w+\ дом\w*|біл\w+\ д[оі]м\w*|[ée]lys[ée]e|eliseo|quirinale
        |пресс-секретар\w+\ президента|речни\w+\ президента|прес-секретар\w+\ президента|sprecher\w*\ des\ präsidenten
        |präsidialamt\w*|kancelari\w+\ prezydenta|rzecznik\w*\ prezydenta|porte-parole\ du\ président|présidence
        |presidencia|presidenza|portavoz\ del\ presidente|portavoce\ del\ presidente|president(?:ial|'s|’s)\ spokes\w+
        |офіс\w*\ президента|office\ of\ the\ president
    """,
    "foreign ministry": r"""
        affaires\ étrangères|quai\ d['’]orsay|foreign\ (?:ministry|office)|state\ department|département\ d['’]état
        |diplomatie|außenminist\w*|auswärtig\w*|exteriores|cancillería|departamento\ de\ estado|affari\ esteri|farnesina
        |ministero\ degli\ esteri|dipartimento\ di\ stato|msz|spraw\ zagranicznych|departament\w*\ stanu
        |мид(?:а|у|ом|е)?|иностранных\ дел|госдеп\w*|мзс|закордонних\ справ|держдеп\w*
    """,
    "defence ministry": r"""
        ministère\ (?:\w+\ )?(?:de\ la\ défense|des\ armées)|pentagon\w*|пентагон\w*|defen[cs]e\ (?:ministry|department)
        |verteidigungsminist\w*|ministerio\ de\ defensa|ministero\ della\ difesa|ministerstw\w+\ obrony|минобороны
        |міноборони|министерств\w+\ обороны|міністерств\w+\ оборони|pentágono|pentagono
    """,
    "interior ministry": r"""
        ministère\ (?:\w+\ )?de\ l['’]intérieur|interior\ ministry|home\ office|innenminist\w*|ministerio\ del\ interior
        |ministero\ dell['’]interno|ministerstw\w+\ spraw\ wewnętrznych|мвд|мвс|внутренних\ дел|внутрішніх\ справ
    """,
    "government": r"""
        downing\ street|matignon|palazzo\ chigi|moncloa|gouvernement|government|bundesregierung|rządu|gobierno|governo
        |правительств\w+|уряду
    """,
    "NATO": r"nato|otan|нато",
    "UN": r"nations\ unies|united\ nations|onu|un|uno|оон|onz|vereinten\ nationen|naciones\ unidas|nazioni\ unite",
    "EU": r"""
        commission\ européenne|european\ commission|eu-kommission\w*|europäischen?\ kommission|еврокомисси\w*
        |єврокомісі\w*|comisión\ europea|commissione\ europea|komisj\w+\ europejsk\w*
    """,
}
_HOUSES = {
    house: re.compile(rf"(?<!\w)(?:{written})(?!\w)", re.IGNORECASE | re.VERBOSE)
    for house, written in _WRITTEN.items()
}


def houses_in(text: str) -> list[str]:
    """The houses that a text names."""
    return [house for house, written in _HOUSES.items() if written.search(text)]


def house_before(text: str, start: int, end: int) -> int:
    """Where a house begins that stands right before a place ("Kremlin spokesman"); that place where none does."""
    found = (match.start() for written in _HOUSES.values() for match in written.finditer(text, start, end))
    return min((at for at in found if len(text[at:end].split()) <= MOST_WORDS), default=end)
