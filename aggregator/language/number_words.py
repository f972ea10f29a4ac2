"""Numbers in words, language by language: data for `numbers` and `dates`.

Forms of one number are separated by `|`, numbers by a space. Everything is folded when it is read.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from aggregator.language.text import fold
from aggregator.language.units import vocabulary

_UNITS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "fr": "un|une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "de": "ein|eine|einen|einem|einer|eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn "
    "vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "es": "un|una|uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve",
    "it": "un|una|uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
    "sedici diciassette diciotto diciannove",
    "pl": "jeden|jedna|jedno|jednego|jednej dwa|dwie|dwóch|dwoma|dwaj|dwoje trzy|trzech|trzema|trzej|troje "
    "cztery|czterech|czterema|czterej|czworo pięć|pięciu|pięcioro sześć|sześciu siedem|siedmiu osiem|ośmiu "
    "dziewięć|dziewięciu dziesięć|dziesięciu jedenaście|jedenastu dwanaście|dwunastu trzynaście|trzynastu "
    "czternaście|czternastu piętnaście|piętnastu szesnaście|szesnastu siedemnaście|siedemnastu "
    "osiemnaście|osiemnastu dziewiętnaście|dziewiętnastu",
    "ru": "один|одна|одно|одного|одной два|две|двух|двумя|двум|двое три|трех|тремя|трем|трое "
    "четыре|четырех|четырьмя|четырем|четверо пять|пяти|пятью|пятеро шесть|шести|шестью|шестеро семь|семи|семеро "
    "восемь|восьми девять|девяти десять|десяти|десятью одиннадцать|одиннадцати двенадцать|двенадцати "
    "тринадцать|тринадцати четырнадцать|четырнадцати пятнадцать|пятнадцати шестнадцать|шестнадцати "
    "семнадцать|семнадцати восемнадцать|восемнадцати девятнадцать|девятнадцати",
    "uk": "один|одна|одне|одного|однієї два|дві|двох|двома|двоє три|трьох|трьома|троє "
    "чотири|чотирьох|чотирма|четверо п'ять|п'яти|п'ятьох|п'ятеро шість|шести|шістьох|шестеро сім|семи|сімох|семеро "
    "вісім|восьми|вісьмох дев'ять|дев'яти|дев'ятьох десять|десяти|десятьох одинадцять|одинадцяти "
    "дванадцять|дванадцяти тринадцять|тринадцяти чотирнадцять|чотирнадцяти п'ятнадцять|п'ятнадцяти "
    "шістнадцять|шістнадцяти сімнадцять|сімнадцяти вісімнадцять|вісімнадцяти дев'ятнадцять|дев'ятнадцяти",
    "pt": "um|uma dois|duas três quatro cinco seis sete oito nove dez onze doze treze catorze|quatorze quinze "
    "dezesseis|dezasseis dezessete|dezassete dezoito dezenove|dezanove",
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien "
    "zeventien achttien negentien",
    "tr": "bir iki üç dört beş altı yedi sekiz dokuz",
    "ar": "واحد اثنين|اثنان ثلاثة|ثلاث أربعة|أربع خمسة|خمس ستة|ست سبعة|سبع ثمانية|ثماني تسعة|تسع عشرة|عشر",
}
#: 20, 30 … 90; Turkish and French begin with what the units lack.
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "fr": "vingt|vingts|vingtaine trente|trentaine quarante|quarantaine cinquante|cinquantaine soixante|soixantaine "
    "septante octante|huitante nonante",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "es": "veinte|veintena treinta|treintena cuarenta cincuenta|cincuentena sesenta setenta ochenta noventa",
    "it": "venti|ventina trenta|trentina quaranta|quarantina cinquanta|cinquantina sessanta settanta ottanta novanta",
    "pl": "dwadzieścia|dwudziestu trzydzieści|trzydziestu czterdzieści|czterdziestu pięćdziesiąt|pięćdziesięciu "
    "sześćdziesiąt|sześćdziesięciu siedemdziesiąt|siedemdziesięciu osiemdziesiąt|osiemdziesięciu "
    "dziewięćdziesiąt|dziewięćdziesięciu",
    "ru": "двадцать|двадцати тридцать|тридцати сорок|сорока пятьдесят|пятидесяти шестьдесят|шестидесяти "
    "семьдесят|семидесяти восемьдесят|восьмидесяти девяносто",
    "uk": "двадцять|двадцяти тридцять|тридцяти сорок|сорока п'ятдесят|п'ятдесяти шістдесят|шістдесяти "
    "сімдесят|сімдесяти вісімдесят|вісімдесяти дев'яносто",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    "tr": "yirmi otuz kırk elli altmış yetmiş seksen doksan",
    "ar": "عشرين|عشرون ثلاثين|ثلاثون أربعين|أربعون خمسين|خمسون ستين|ستون سبعين|سبعون ثمانين|ثمانون تسعين|تسعون",
}
#: 100, 200 … where a language has a word of its own for them; elsewhere the first one multiplies.
_HUNDREDS = {
    "en": "hundred",
    "fr": "cent|cents|centaine",
    "de": "hundert",
    "es": "cien|ciento|centenar doscientos|doscientas trescientos|trescientas|trecientos cuatrocientos|cuatrocientas "
    "quinientos|quinientas seiscientos|seiscientas setecientos|setecientas ochocientos|ochocientas "
    "novecientos|novecientas",
    "it": "cento|centinaio",
    "pl": "sto|stu dwieście|dwustu trzysta|trzystu czterysta|czterystu pięćset|pięciuset sześćset|sześciuset "
    "siedemset|siedmiuset osiemset|ośmiuset dziewięćset|dziewięciuset",
    "ru": "сто|ста|сотня|сотню двести|двухсот триста|трехсот четыреста|четырехсот пятьсот|пятисот шестьсот|шестисот "
    "семьсот|семисот восемьсот|восьмисот девятьсот|девятисот",
    "uk": "сто|ста|сотня|сотню двісті|двохсот триста|трьохсот чотириста|чотирьохсот п'ятсот|п'ятисот шістсот|шестисот "
    "сімсот|семисот вісімсот|восьмисот дев'ятсот|дев'ятисот",
    "pt": "cem|cento duzentos|duzentas trezentos|trezentas quatrocentos|quatrocentas quinhentos|quinhentas "
    "seiscentos|seiscentas setecentos|setecentas oitocentos|oitocentas novecentos|novecentas",
    "nl": "honderd",
    "ar": "مئة|مائة مئتين|مئتان|مائتين ثلاثمئة|ثلاثمائة أربعمئة|أربعمائة خمسمئة|خمسمائة ستمئة|ستمائة سبعمئة|سبعمائة",
}
#: Dozens and their like: worth this alone in the singular, and a multiple of it behind a number.
_GROUPS = {
    "en": {"dozen": 12},
    "fr": {"douzaine": 12, "dizaine": 10, "quinzaine": 15},
    "de": {"dutzend": 12},
    "es": {"docena": 12, "decena": 10},
    "it": {"dozzina": 12, "decina": 10},
    "pl": {"tuzin": 12},
    "ru": {"дюжина": 12, "дюжину": 12, "десяток": 10, "десятка": 10},
    "uk": {"дюжина": 12, "дюжину": 12, "десяток": 10, "десятка": 10},
    "pt": {"dúzia": 12, "dezena": 10},
    "nl": {"dozijn": 12, "tiental": 10},
    "tr": {"düzine": 12},
}
#: Behind a number only: twenty-odd forms of thousand, million and so on; German and most others
#: count a billion as a million millions.
_SCALES = (
    (1e5, r"lakhs?"),
    (1e7, r"crores?"),
    (1e3, r"thousand|mille|milliers?|tausend|mil|miles|mila|tysia?c\w*|tysiecy|tys|тысяч\w?|тысячами|тыс|тисяч\w?|тис"
     r"|duizend|bin|الف|الاف|k"),
    (1e6, r"milli?ons?|millionen|millon|millones|milioni|milione|milion\w{0,3}|mln|mio|mill|mn|миллион\w{0,3}|млн"
     r"|мільион\w{0,3}|мільйон\w{0,3}|miljoen|milyon|milhao|milhoes|مليون|ملايين"),
    (1e9, r"milliards?|milliarden?|miliard\w{0,3}|miliardi|mrd|mds?|mld|bn|миллиард\w{0,3}|млрд|мільярд\w{0,3}"
     r"|miljard|milyar|bilhao|bilhoes|مليار|مليارات"),
    (1e12, r"trillions?|tn|billiard\w*|триллион\w{0,3}|трлн|трильион\w{0,3}|трильйон\w{0,3}|trilyon|bln|bio"),
)  # fmt: skip
#: The short scale, and the long one.
_BILLION = {True: 1e9, False: 1e12}
_BILLION_WORD = re.compile(r"billions?|billionen|billones|billon|bilion\w{0,3}|biljoen|bilioni|bilione")
_SHORT_SCALE = frozenset({"en", None})
#: Scale words that are a number by themselves, or behind an article.
_ALONE = {
    "en": "", "fr": "mille", "de": "tausend", "es": "mil", "it": "mille", "pt": "mil", "nl": "duizend", "tr": "bin",
    "pl": "tysiąc milion miliard", "ru": "тысяча тысячу миллион миллиард", "uk": "тисяча тисячу мільйон мільярд",
}  # fmt: skip
#: A half, behind a number; the first of a pair of words is enough to know it by.
HALVES = (
    "and a half", "et demi", "et demie", "y medio", "y media", "e mezzo", "e mezza", "i pol", "с половинои",
    "с половиной", "з половинои", "з половиною", "e meio", "e meia", "en een half", "en een halve",
)  # fmt: skip
#: Words that are so much with a half in them.
_AND_A_HALF = {
    "de": {"anderthalb": 1.5, "eineinhalb": 1.5},
    "pl": {"półtora": 1.5, "półtorej": 1.5},
    "ru": {"полтора": 1.5, "полторы": 1.5, "полутора": 1.5},
    "uk": {"півтора": 1.5, "півтори": 1.5},
    "nl": {"anderhalf": 1.5, "anderhalve": 1.5},
}
#: Half of one, before a unit or a scale only: half a million, eine halbe Stunde.
HALF_OF = vocabulary(
    "half demi demie halbe halben halbes halber medio media mezzo mezza pol meio meia halve half пол пів"
)
#: Shares, by what is said.
_SHARES = {
    50.0: "half of|half the|la moitie|die halfte|der halfte|la mitad|polowe|polowa|половину|половина|a metade|de helft",
    33.3: "a third of|one third|un tiers|ein drittel|einem drittel|un tercio|un terzo d(?:i|el|ei|egli|ella|elle)"
    "|jedna trzecia|jednej trzeciej|треть|трети|третину|третина|um terco|een derde",
    66.7: "two thirds|deux tiers|zwei drittel|dos tercios|dos terceras partes|due terzi|dwie trzecie|dwoch trzecich"
    "|две трети|двух третеи|двух третей|дві третини|двох третин|dois tercos|twee derde",
    25.0: "a quarter of|one quarter|un quart d(?:e|es|u)?|ein viertel|einem viertel|una cuarta parte|un cuarto de"
    "|un quarto d(?:i|el|ei|egli|ella|elle)|jedna czwarta|четверть|четверти|чверть|чверті|um quarto d[aeo]s?|een kwart",
    75.0: "three quarters|trois quarts|drei viertel|dreiviertel|tres cuartas partes|tres cuartos|tre quarti"
    "|trzy czwarte|три четверти|три чверті|tres quartos|driekwart",
}  # fmt: skip
#: Words inside a number: twenty and five no, but treinta y cinco, hundred and five.
JOINTS = vocabulary("and et und y e en")
#: Some hundred, several thousand: no number.
VAGUE = vocabulary(
    "several few many some quelques plusieurs einige mehrere viele varios varias algunos unos alcuni alcune diverse "
    "parecchi kilka wiele kilkuset несколько нескольких кілька кількох багато много enkele varias pour per por"
)


def _form(written: str) -> str:
    return fold(written).replace("'", "")


def _forms(table: dict[str, str], language: str | None) -> list[list[str]]:
    return [[_form(form) for form in forms.split("|")] for forms in table.get(language or "", "").split()]


@cache
def cardinals(language: str | None) -> dict[str, float]:
    """Value by folded word, as far as one word says it: the numbers below 1000 with their forms."""
    known: dict[str, float] = {}
    if language == "tr":
        known |= {"on": 10.0, "yuz": 100.0}
    for table, factor, first in ((_UNITS, 1, 1), (_TENS, 10, 2), (_HUNDREDS, 100, 1)):
        for value, forms in enumerate(_forms(table, language), first):
            known |= dict.fromkeys(forms, float(value * factor))
    known |= {_form(word): value for word, value in _AND_A_HALF.get(language or "", {}).items()}
    for word, amount in _compounds(language):
        known.setdefault(word, amount)
    return known


def _compounds(language: str | None) -> list[tuple[str, float]]:
    """Numbers that a language writes as one word: fünfundzwanzig, trentacinque, viereinhalb."""
    if language in ("de", "nl"):
        return _germanic(language)
    if language == "it":
        return _italian()
    return _spanish() if language == "es" else []


def _germanic(language: str) -> list[tuple[str, float]]:
    joint, hundred, thousand, half = {
        "de": ("und", "hundert", "tausend", "einhalb"),
        "nl": ("en", "honderd", "duizend", "eneenhalf"),
    }[language]
    units = [forms[0] for forms in _forms(_UNITS, language)]
    tens = [forms[0] for forms in _forms(_TENS, language)]
    small = dict(enumerate(units, 1))
    small |= {ten * 10: word for ten, word in enumerate(tens, 2)}
    small |= {
        ten * 10 + u: units[u - 1] + joint + word for ten, word in enumerate(tens, 2) for u in range(1, 10)
    }
    found: list[tuple[str, float]] = [(units[u - 1] + half, u + 0.5) for u in range(1, 13)]
    found += [(word, float(value)) for value, word in small.items()]
    for times in range(1, 10):
        names = [units[times - 1] + hundred, *([hundred] if times == 1 else [])]
        found += [(name, times * 100.0) for name in names]
        found += [(name + word, times * 100.0 + value) for name in names for value, word in small.items()]
    return found + [(word + thousand, value * 1000.0) for value, word in small.items() if value > 1]


def _italian() -> list[tuple[str, float]]:
    units = [forms[0] for forms in _forms(_UNITS, "it")]
    units[0] = "uno"
    small = dict(enumerate(units, 1))
    for ten, (word, *_) in enumerate(_forms(_TENS, "it"), 2):
        small[ten * 10] = word
        # venti + otto is ventotto: the vowel before uno and otto falls.
        small |= {ten * 10 + u: (word[:-1] if u in (1, 8) else word) + units[u - 1] for u in range(1, 10)}
    below_hundred = list(small.items())
    found = [(word, float(value)) for value, word in below_hundred]
    for times in range(1, 10):
        name = ("" if times == 1 else units[times - 1]) + "cento"
        found.append((name, times * 100.0))
        found += [(name + word, times * 100.0 + value) for value, word in below_hundred]
    return found + [(word + "mila", value * 1000.0) for value, word in below_hundred if value > 1]


def _spanish() -> list[tuple[str, float]]:
    return [
        ("veinti" + forms[0], 20.0 + value) for value, forms in enumerate(_forms(_UNITS, "es")[:9], 1)
    ] + [
        ("veintiuno", 21.0),
        ("veintiuna", 21.0),
    ]


@cache
def groups(language: str | None) -> dict[str, float]:
    """A dozen and its like by folded word, in the singular."""
    return {_form(word): float(value) for word, value in _GROUPS.get(language or "", {}).items()}


@cache
def plural_groups(language: str | None) -> dict[str, float]:
    """Plurals of the same, which count behind a number only: deux douzaines, три десятки."""
    ending = {"ru": ("десятков", "десятки"), "uk": ("десятків", "десятки")}.get(language or "")
    if ending:
        return dict.fromkeys(ending, 10.0)
    return {word + ("e" if language == "de" else "s"): value for word, value in groups(language).items()} | {
        word[:-1] + "e": value for word, value in groups(language).items() if language == "it"
    }


@lru_cache(maxsize=10_000)
def scale(folded: str, language: str | None) -> float:
    """1e3 for thousand and so on, 0 for a word that is no scale."""
    if folded == "miles" and language != "es":
        return 0.0
    if _BILLION_WORD.fullmatch(folded):
        return _BILLION[language in _SHORT_SCALE]
    return next((factor for factor, pattern in _scale_patterns() if pattern.fullmatch(folded)), 0.0)


@cache
def _scale_patterns() -> tuple[tuple[float, re.Pattern[str]], ...]:
    return tuple((factor, re.compile(pattern)) for factor, pattern in _SCALES)


@cache
def alone(language: str | None) -> frozenset[str]:
    """Scale words that are a number without another before them."""
    return frozenset(_form(word) for word in _ALONE.get(language or "", "").split())


@cache
def shares() -> tuple[tuple[float, re.Pattern[str]], ...]:
    """Per cent, and the words that say so: two thirds."""
    return tuple((value, re.compile(rf"(?<!\S)(?:{said})(?!\S)")) for value, said in _SHARES.items())


@cache
def share_words() -> frozenset[str]:
    """One of these stands in every share."""
    said = "|".join(_SHARES.values())
    return frozenset(re.findall(r"[^\W\d_]{4,}", said)) - {"parte", "partes"}
