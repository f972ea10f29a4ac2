"""Months, weekdays and what is said from a point of view, language by language: data for `dates`.

Names come from CLDR through Babel; the tables here add case forms, abbreviations and phrases.
Phrases are folded words with single spaces, as `lines.Line` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from babel import Locale

from aggregator.language.text import fold, words

#: Languages whose months and weekdays are known.
SPOKEN = ("en", "fr", "de", "es", "it", "pl", "ru", "uk", "pt", "nl", "cs", "tr", "ar")
#: Languages that write months and weekdays small: a large letter within a sentence is a name.
SMALL_LETTERS = frozenset({"fr", "es", "it", "pl", "ru", "uk", "pt", "nl", "cs"})
#: And those that write them large always.
LARGE_LETTERS = frozenset({"en", "de"})

#: Case forms that CLDR does not list: Monday first, January first.
_DAYS = {
    "pl": "poniedziałku wtorku|wtorkiem środę|środy|środą czwartku|czwartkiem piątku|piątkiem sobotę|soboty|sobotą "
    "niedzielę|niedzieli",
    # Sreda is an environment too, except in the accusative.
    "ru": "понедельника|понедельнику вторника|вторнику среду четверга|четвергу пятницу|пятницы|пятнице "
    "субботу|субботы|субботе воскресенья|воскресенью",
    "uk": "понеділка вівторка середу|середи четверга п'ятницю|п'ятниці суботу|суботи неділю|неділі",
    "cs": "pondělka|pondělí úterka středu|středy čtvrtka pátku sobotu|soboty neděli",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "ar": "اثنين ثلاثاء أربعاء خميس جمعة سبت أحد",
}
_MONTHS = {
    "pl": "styczniu lutym marcu kwietniu maju czerwcu lipcu sierpniu wrześniu październiku listopadzie grudniu",
    "ru": "январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре",
    "uk": "січні лютому березні квітні травні червні липні серпні вересні жовтні листопаді грудні",
    "cs": "ledna|lednu února|únoru března|březnu dubna|dubnu května|květnu června|červnu července|červenci "
    "srpna|srpnu září října|říjnu listopadu prosince|prosinci",
    "ar": "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "en": "- - - - - - - - sept - - -",
    "fr": "- fevr - - - - juil - sept - - -",
    "es": "- - - - - - - - set|setiembre - - -",
}
#: Abbreviated weekdays beyond CLDR's; they count beside a date only.
_SHORT_DAYS = {
    "en": "- tues weds thur|thurs - - -",
    "de": "mo di mi do fr sa so",
    "pl": "pon wt śr czw pt sob niedz",
    "ru": "пн вт ср чт пт сб вс",
    "uk": "пн вт ср чт пт сб нд",
}
#: Other words as well, unless something said before makes a month or a weekday of them.
DOUBTFUL = {
    "en": frozenset({"may", "march", "april", "june", "august"}),
    "fr": frozenset({"mars"}),
    "uk": frozenset({"лютии", "лютий", "лютим"}),
    "pl": frozenset({"maja"}),
    "ru": frozenset({"среда", "среды", "среде"}),
    "tr": frozenset({"pazar", "ocak", "ekim", "mart"}),
    "ar": frozenset({fold("آب"), fold("أحد")}),
}
_CONTEXT = {
    "en": "in|since|until|till|through|from|last|next|this|early|mid|late|during|before|after|beginning of|end of"
    "|start of|middle of",
    "fr": "en|fin|debut|mi|depuis|jusqu en|courant|ce|mois de|d ici|avant",
    "pl": "poczatku|polowie|koniec|koncem|koncu|od|do|pierwszego",
    "tr": "gecen|bu",
}
#: Early, mid, late: they belong to the month's span.
_PARTS = (
    "early|mid|late|debut|mi|fin|courant|anfang|mitte|ende|principios de|mediados de|finales de|fines de|inizio|meta"
    "|fine|poczatku|polowie|koniec|koncu|начале|середине|конце|початку|середині|наприкінці|inicio de|meados de|fim de"
    "|begin|midden|eind"
)
#: The day before yesterday and the like, in days.
_AWAY = {
    "en": {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "day before yesterday": -2},
    "fr": {
        "hier": -1,
        "aujourd hui": 0,
        "demain": 1,
        "avant hier": -2,
        "apres demain": 2,
        "ce matin": 0,
        "ce soir": 0,
    },
    "de": {"gestern": -1, "heute": 0, "morgen": 1, "vorgestern": -2, "ubermorgen": 2},
    "es": {"ayer": -1, "hoy": 0, "manana": 1, "anteayer": -2, "antier": -2, "pasado manana": 2, "anoche": -1},
    "it": {
        "ieri": -1,
        "oggi": 0,
        "domani": 1,
        "altro ieri": -2,
        "dopodomani": 2,
        "stamattina": 0,
        "stasera": 0,
    },
    "pl": {"wczoraj": -1, "dzisiaj": 0, "dzis": 0, "jutro": 1, "przedwczoraj": -2, "pojutrze": 2},
    "ru": {"вчера": -1, "сегодня": 0, "завтра": 1, "позавчера": -2, "послезавтра": 2},
    "uk": {"вчора": -1, "учора": -1, "сьогодні": 0, "завтра": 1, "позавчора": -2, "післязавтра": 2},
    "pt": {"ontem": -1, "hoje": 0, "amanha": 1, "anteontem": -2},
    "nl": {"gisteren": -1, "vandaag": 0, "morgen": 1, "eergisteren": -2},
    "cs": {"vcera": -1, "dnes": 0, "zitra": 1},
    "tr": {"dun": -1, "bugun": 0, "yarin": 1},
    "ar": {"امس": -1, "غدا": 1},
}
#: Words before that make something else of them: USA Today, la mañana, am Morgen.
_NOT_BEHIND = {
    "en": ("usa", "russia", "asia"),
    "es": ("la", "esta", "de", "por"),
    "de": ("heute", "gestern", "am", "jeden", "den", "der", "guten", "jedem"),
    "nl": ("de", "van", "elke"),
}
#: Last, this, next, and then week, month, year: patterns of one folded word or several.
_TURNS = {
    "en": "last|past / this / next|coming / week / month / year",
    "fr": "derniere?|passee? / cette|ce / prochaine?|a venir / semaine / mois / annee|an",
    "de": "(?:letzt|vergangen|vorig)e[nrsm]? / diese[nrsm]? / (?:nachst|kommend)e[nrsm]? "
    "/ woche / monats? / jahr(?:es)?",
    "es": "pasad[oa]|ultim[oa] / est[ea] / proxim[oa]|que viene / semana / mes / ano",
    "it": "scors[oa]|passat[oa] / quest[oa]?|quest / prossim[oa] / settimana / mese / anno",
    "pl": "(?:zeszl|ubiegl|minion)\\w{1,3} / t(?:ym|ego|en)|biezac\\w{1,3} / (?:przyszl|nastepn|najblizsz)\\w{1,3} "
    "/ tydzien|tygodniu|tygodnia / miesiac\\w? / rok[u]?",
    "ru": "(?:прошл|минувш)\\w{2,3} / эт(?:ои|ой|от|ом|ого|у)|текущ\\w{2,3} / (?:следующ|будущ|ближайш)\\w{2,3} "
    "/ недел[яеюи] / месяц[ае]? / год[ау]?",
    "uk": "минул\\w{2,3}|попередн\\w{2,3} / ц(?:ього|ьому|еи|ей|ю) / наступн\\w{2,3} "
    "/ тиж\\w{2,4} / місяц\\w{1,2} / ро[кц][уі]|рік",
    "pt": "passad[oa]|ultim[oa] / est[ea]|nest[ea] / proxim[oa]|que vem / semana / mes / ano",
    "nl": "vorige?|afgelopen / deze|dit / volgende?|komende? / week / maand / jaar",
    "cs": "minul\\w{1,3}|lonsk\\w{1,3} / tent\\w|tomto|letosni\\w* / pristi\\w* / tyden|tydnu / mesic\\w? / rok[ue]?",
    "tr": "gecen|gectigimiz / bu / gelecek|onumuzdeki / hafta / ay / yil",
    "ar": "الماضي|الماضيه|الفائت / هذا / المقبل|المقبله|القادم / الاسبوع / الشهر / العام|السنه",
}
#: Years said in one word.
_YEARS_AWAY = {
    "uk": {"торік": -1, "цьогоріч": 0},
    "de": {"vorjahr": -1, "vorjahres": -1},
    "cs": {"loni": -1, "letos": 0},
}
#: Years, months, weeks, days in every form that a number takes.
_UNITS = {
    "en": "years? / months? / weeks? / days?",
    "fr": "ans?|annees? / mois / semaines? / jours?",
    "de": "jahre?n? / monate?n? / wochen? / tage?n?",
    "es": "anos? / mes|meses / semanas? / dias?",
    "it": "ann[oi] / mes[ei] / settiman[ae] / giorn[oi]",
    "pl": "rok|lat|lata|latach|laty / miesiac\\w{0,3}|miesiecy / tydzien|tygodni\\w{0,3} / dzien|dni|dniach",
    "ru": "год|года|лет / месяц|месяца|месяцев / недел[юиь] / день|дня|днеи|дней",
    "uk": "рік|роки|років|року / місяц\\w{1,2} / тиж\\w{2,4} / день|дні|днів",
    "pt": "anos? / mes|meses / semanas? / dias?",
    "nl": "jaar|jaren / maanden?|maand / weken|week / dag|dagen",
    "cs": "rok\\w{0,2}|lety|let|leta / mesic\\w{0,2} / tydn\\w{1,3} / dn[yiu]|dnech",
    "tr": "yil / ay / hafta / gun",
    "ar": "سنوات|سنه|اعوام|عاما|عام / اشهر|شهر / اسابيع|اسبوع / ايام|يوما|يوم",
}
#: {n} a number, {u} any unit, {y} years only: "three days after" is counted from another day.
_AGO = {
    "en": ("{n} {u} ago", "{n} {y} (?:after|since|on from)"),
    "fr": ("il y a (?:\\S+ )?{n} {u}", "{n} {y} apres", "(?:depuis|voila|voici) (?:\\S+ )?{n} {y}"),
    "de": ("vor (?:\\S+ )?{n} {u}", "{n} {y} (?:nach|seit)", "seit (?:\\S+ )?{n} {y}"),
    "es": ("hace (?:\\S+ )?{n} {u}", "{n} {y} (?:despues|tras|desde)", "{n} {u} atras"),
    "it": ("{n} {u} (?:fa|or sono)", "{n} {y} (?:dopo|dall?|dallo)", "da (?:\\S+ )?{n} {y}"),
    "pl": ("{n} {u} temu", "{u} temu", "{n} {y} (?:po|od)", "przed {n} {u}", "od {n} {y}"),
    "ru": (
        "{n} {u} (?:назад|тому назад)",
        "{u} назад",
        "{n} {y} (?:после|спустя|со дня|с начала)",
        "спустя {n} {y}",
    ),
    "uk": ("{n} {u} (?:тому|назад)", "{u} тому", "{n} {y} (?:після|від|з початку)"),
    "pt": ("ha (?:\\S+ )?{n} {u}", "{n} {u} atras", "{n} {y} (?:depois|apos)"),
    "nl": ("{n} {u} geleden", "{n} {y} (?:na|sinds)"),
    "cs": ("pred {n} {u}", "{n} {y} po"),
    "tr": ("{n} {u} once",),
    "ar": ("(?:قبل|منذ) {n} {u}",),
}
#: One of these words stands in every phrase of _AGO.
_AGO_SIGNS = {
    language: frozenset(re.findall(r"[^\W\d_]{2,}", re.sub(r"\\S|\{\w\}", " ", " ".join(said))))
    for language, said in _AGO.items()
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """What one language says of time, folded."""

    #: Every name and abbreviation of a month, and those that stand without a day or a year.
    months: Mapping[str, int]
    wide_months: frozenset[str]
    #: Weekdays that stand alone, Monday 0.
    days: Mapping[str, int]
    #: And those beside a date, abbreviations among them.
    short_days: Mapping[str, int]
    #: Days from the dateline.
    away: Mapping[str, int]
    away_said: re.Pattern[str]
    #: Years from the dateline, said in one word.
    years_away: Mapping[str, int]
    day_month: re.Pattern[str]
    month_day: re.Pattern[str]
    month: re.Pattern[str]
    weekday: re.Pattern[str]
    spoken: re.Pattern[str]
    #: Week, month and year as `spoken` says them.
    units: tuple[tuple[str, re.Pattern[str]], ...]
    ago: tuple[re.Pattern[str], ...]
    ago_units: tuple[tuple[str, re.Pattern[str]], ...]
    ago_signs: frozenset[str]
    #: Words that make a month of a doubtful one, as they stand before it.
    context: re.Pattern[str]
    not_behind: tuple[str, ...]
    #: Words without which the patterns need not be tried.
    month_words: frozenset[str]
    day_words: frozenset[str]
    away_words: frozenset[str]
    turn_words: re.Pattern[str]
    unit_words: re.Pattern[str]


_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_ORDINAL = r"(?:st|nd|rd|th|er|ero|o|º|e)?(?: (?:го|ого|е|ое|й|те|та|го|o|ta|inci))?"
_RANGE = r"(?:-|to|and|through|until|au|et|a|bis|und|al|y|e|i|do|и|по|до|та|й|і|en|tot|ve)"
_YEAR = r"(?:18|19|20)\d\d"
_LAST_YEARS = (
    r"(?:de |del |des |dell |of )?(?:last year|l an dernier|l annee derniere|letzten jahres|vergangenen jahres"
    r"|vorjahres|ano pasado|anno scorso|(?:ubieglego|zeszlego|minionego) roku|прошлого года|минулого року|ano passado"
    r"|vorig jaar)"
)
_THIS_YEARS = r"(?:de |of |d )?(?:this year|cette annee|dieses jahres|este ano|quest anno|(?:tego|biezacego) roku" \
    r"|этого года|текущего года|цього року|dit jaar)"  # fmt: skip
_OF = r"(?:of|de|del|di|d|dem|da|do)"
_START, _STOP = r"(?<!\S)", r"(?!\S)"


def _any(said: Iterable[str]) -> str:
    """The longest first; what can never match where there is none."""
    return "|".join(sorted(map(re.escape, said), key=len, reverse=True)).replace(r"\ ", " ") or "(?!)"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_START}(?:{pattern}){_STOP}")


@cache
def calendar(language: str | None) -> Calendar:
    """The calendar of a language; one that knows digits only where it is not spoken here."""
    spoken = language if language in SPOKEN else ""
    months, wide = _months(spoken or "")
    days, short = _days(spoken or "")
    turns = [part.strip() for part in _TURNS.get(spoken or "", " / ".join(["(?!)"] * 6)).split(" / ")]
    units = [part.strip() for part in _UNITS.get(spoken or "", " / ".join(["(?!)"] * 4)).split(" / ")]
    away = _AWAY.get(spoken or "", {})
    years_away = _YEARS_AWAY.get(spoken or "", {})
    year = (
        rf"(?: (?:{_OF} )?(?:(?P<year>{_YEAR})(?:г|р|r)?|(?P<last>{_LAST_YEARS})|(?P<this>{_THIS_YEARS})))?"
    )
    beside = rf"(?:(?P<weekday>{_any(short)})(?: (?:the|le|dem|den|der|dnia|el|dia))? )?"
    month = rf"(?P<month>{_any(months)})"
    return Calendar(
        months=months,
        wide_months=frozenset(wide),
        days=days,
        short_days=short,
        away=away,
        away_said=_whole(f"(?:{_any([*away, *years_away])})"),
        years_away=years_away,
        day_month=_whole(
            rf"{beside}(?:(?P<from>{_DAY}){_ORDINAL} {_RANGE} )?(?P<day>{_DAY}){_ORDINAL} (?:{_OF} )?{month}{year}"
        ),
        month_day=_whole(
            rf"{beside}(?<!in ){month} (?P<day>{_DAY})(?:st|nd|rd|th)?(?: (?:-|to|through) "
            rf"(?P<to>{_DAY})(?:st|nd|rd|th)?)?(?: (?P<year>{_YEAR}))?"
        ),
        month=_whole(
            rf"(?:(?:(?P<part>{_PARTS})|(?P<same>{turns[1]})) )?{month}{year}"
            rf"(?: (?P<past2>{turns[0]})| (?P<next2>{turns[2]}))?"
        ),
        weekday=_whole(
            rf"(?:(?:(?P<past>{turns[0]})|(?P<same>{turns[1]})|(?P<next>{turns[2]})) )?"
            rf"(?P<weekday>{_any(days)})(?: (?:(?P<past2>{turns[0]})|(?P<next2>{turns[2]})))?"
            rf"(?: (?P<day>{_DAY})(?P<ordinal>{_ORDINAL}))?"
        ),
        spoken=_whole(
            rf"(?:(?:(?P<past>{turns[0]})|(?P<same>{turns[1]})|(?P<next>{turns[2]})) (?P<unit>{'|'.join(turns[3:])})"
            rf"|(?P<unit2>{'|'.join(turns[3:])}) (?:(?P<past2>{turns[0]})|(?P<next2>{turns[2]})))"
        ),
        units=tuple(zip(("week", "month", "year"), map(re.compile, turns[3:]), strict=True)),
        ago=tuple(_ago(said, units) for said in _AGO.get(spoken or "", ())),
        ago_units=tuple(zip(("year", "month", "week", "day"), map(re.compile, units), strict=True)),
        ago_signs=_AGO_SIGNS.get(spoken or "", frozenset()),
        context=re.compile(rf"(?<!\S)(?:{_CONTEXT.get(spoken or '', '(?!)')}) $"),
        not_behind=_NOT_BEHIND.get(spoken or "", ()),
        month_words=_each_word(months),
        day_words=_each_word(days),
        away_words=_each_word([*away, *years_away]),
        # "Que viene" turns too, so its first word is enough.
        turn_words=re.compile(f"(?:{'|'.join(turns[:3])}|que|a)"),
        unit_words=re.compile("|".join([*turns[3:], *units])),
    )


@lru_cache(maxsize=10_000)
def is_unit(folded: str, language: str | None) -> bool:
    """Whether a word is a day, a week, a month or a year in any form."""
    return calendar(language).unit_words.fullmatch(folded) is not None


@lru_cache(maxsize=10_000)
def is_turn(folded: str, language: str | None) -> bool:
    """Whether a word may say last, this or next."""
    return calendar(language).turn_words.fullmatch(folded) is not None


def _ago(said: str, units: list[str]) -> re.Pattern[str]:
    number = r"(?P<number>\d{1,3}|[^\W\d]+(?: [^\W\d]+)?)"
    filled = said.replace("{n}", number).replace("{u}", f"(?P<unit>{'|'.join(units)})")
    return _whole(filled.replace("{y}", f"(?P<unit>{units[0]})"))


def _each_word(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in name.split())


def _months(language: str) -> tuple[dict[str, int], dict[str, int]]:
    """All names of the months, and the full ones."""
    if not language:
        return {}, {}
    wide = _names(Locale(language).months, "wide") | _listed(_MONTHS, language, 1)
    short = _names(Locale(language).months, "abbreviated") | wide
    # In Italian a set is one of tennis.
    return {name: n for name, n in short.items() if (language, name) != ("it", "set")}, {
        name: n
        for name, n in wide.items()
        if len(name) > 3 or name in {"mai", "mei", "may", "maj", "май", "маи", "мая", "мае"}
    }


def _days(language: str) -> tuple[dict[str, int], dict[str, int]]:
    """Weekdays that stand alone, and those beside a date."""
    if not language:
        return {}, {}
    wide = _names(Locale(language).days, "wide") | _listed(_DAYS, language, 0)
    if language == "de":
        times = ("abend", "morgen", "nacht", "nachmittag", "vormittag", "mittag", "fruh")
        wide |= {day + time: number for day, number in wide.items() for time in times} | {"sonnabend": 5}
    wide = {day: number for day, number in wide.items() if day not in DOUBTFUL.get(language, ())}
    return wide, _names(Locale(language).days, "abbreviated") | _listed(_SHORT_DAYS, language, 0) | wide


def _names(contexts: Mapping[str, Mapping[str, Mapping[int, str]]], width: str) -> dict[str, int]:
    found = {
        " ".join(words(name)): number
        for context in ("format", "stand-alone")
        for number, name in contexts[context][width].items()
    }
    return {name: number for name, number in found.items() if name and not name.isdecimal()}


def _listed(table: Mapping[str, str], language: str, first: int) -> dict[str, int]:
    return {
        " ".join(words(form.replace("_", " "))): number
        for number, forms in enumerate(table.get(language, "").split(), first)
        for form in forms.split("|")
        if form != "-"
    }
