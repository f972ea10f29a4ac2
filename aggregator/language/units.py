"""What amounts are measured in, in words and signs: data for `numbers` and `dates`."""

from __future__ import annotations

import re
from functools import cache, lru_cache


def vocabulary(written: str) -> frozenset[str]:
    """The words of a list that is easier to read as text."""
    return frozenset(written.split())


#: Signs, before the number or behind it.
SIGNS = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "₽": "RUB",
    "₴": "UAH",
    "¥": "JPY",
    "₺": "TRY",
    "%": "%",
    "٪": "%",
}
MONEY = frozenset({"USD", "EUR", "GBP", "RUB", "UAH", "PLN", "JPY", "TRY", "CHF"})
#: Time, which an article counts too: one day, un an.
SPANS = frozenset({"d", "wk", "mo", "y"})

_WORDS = (
    ("%", r"percent|prozent\w*|procent\w*|proc|процент\w*|відсот\w*|yuzde"),
    ("USD", r"dollars?|dol|dolar\w*|dollari|доллар\w*|долар\w*|usd|دولار"),
    ("EUR", r"euros?|eur|евро|євро|avro|يورو"),
    ("GBP", r"pounds?|pfund|libras|sterline|funt\w*|фунт\w*|gbp"),
    ("RUB", r"roubles?|rubles?|rubel|rublos|rubl\w*|рубл\w*|руб"),
    ("UAH", r"hryvnias?|hrywn\w*|griwna|гривен\w*|гривн\w*|грн"),
    ("PLN", r"zlot\w*|злот\w*|zl|pln"),
    ("CHF", r"chf|franken"),
    ("JPY", r"yens?|иен\w*|jpy"),
    ("km", r"kilomet\w*|kilometr\w*|chilometr\w*|км|километр\w*|кілометр\w*|km"),
    ("km2", r"km2|км2"),
    ("mi", r"miles|meilen"),
    ("m", r"met(?:er|re)s?|metern|metri|metros|metr\w{0,3}|метр\w{0,3}"),
    ("t", r"tonnes?|tons?|tonnen|toneladas|tonnellate|ton[yę]?|тонн\w?"),
    ("kg", r"kg|kilos?|kilogram\w*|кг|килограмм\w*|кілограм\w*"),
    ("ha", r"ha|hectares?|hektar\w*|hectareas|ettari|га|гектар\w*"),
    ("min", r"minutes?|minuten|minutos|minut[iaoy]?|минут\w?|хвилин\w?|dakika"),
    ("h", r"hours?|heures?|stunden?|stundig\w*|horas?|or[ae]|godzin\w{0,3}|часа?|часов|годин[иау]?|uur|saat"),
    ("d", r"days?|jours?|journees?|tagen?|tag|tage|tagig\w*|dias?|giorn[io]|dni|dzien|дня|днеи|дней|день|днів|дні|gun"),
    ("wk", r"weeks?|semaines?|wochen?|semanas?|settiman[ae]|tygodni\w{0,2}|недел[ьию]|тижн\w{1,2}|weken|hafta"),
    ("mo", r"months?|mois|monat\w{0,2}|mes|meses|mes[ei]|miesiac\w{0,2}|miesiecy|месяц\w{0,2}|місяц\w{0,2}|maanden"),
    ("y", r"years?|ans|annees?|jahren?|jahre|jahrig\w*|anos?|ann[io]|lat|lata|letni\w*|лет|лет\w{0,5}|років|роки"
     r"|річн\w*|jaar|yil|سنوات|سنة"),
)  # fmt: skip
_PAIRS = frozenset(("per cent", "pour cent", "por ciento", "per cento", "por cento", "في المئه", "في المائه"))
_POINTS = (
    ("percentage", "point"), ("points", "de", "pourcentage"), ("puntos", "porcentual"), ("punti", "percentual"),
    ("punkt", "procent"), ("pkt", "proc"), ("процентн", "пункт"), ("відсотков", "пункт"), ("points", "de", "percent"),
    ("prozentpunkt",), ("procentpunt",), ("pontos", "percentua"), ("percent", "point"),
)  # fmt: skip


@lru_cache(maxsize=10_000)
def unit_of(folded: str) -> str:
    """The unit that a folded word names, "" for none."""
    return next((unit for unit, pattern in _patterns() if pattern.fullmatch(folded)), "")


def unit_in(following: list[str]) -> tuple[str, int]:
    """The unit that folded words begin with, and how many of them say it; ("", 0) for none."""
    for said in _POINTS:
        if len(following) >= len(said) and all(
            w.startswith(s) for w, s in zip(following, said, strict=False)
        ):
            return "pp", len(said)
    if " ".join(following[:2]) in _PAIRS:
        return "%", 2
    if following[:2] == ["livres", "sterling"]:
        return "GBP", 2
    if following and (unit := unit_of(following[0])):
        return unit, 1
    return "", 0


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((unit, re.compile(pattern)) for unit, pattern in _WORDS)
