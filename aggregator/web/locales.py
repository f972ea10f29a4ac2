"""The language and the zone that a page is made in.

Sentences of pages go through gettext and stand in English in templates and in code. The French
ones are read from `translations/fr.po` as it is, so that no build step makes a file of another kind.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from feeds.dates import rfc3339

#: The languages that the interface speaks, by what each calls itself. The first is the code's own.
LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français"}

#: How English is written here: days before months, and a clock of 24 hours, as in French.
_CLDR = {"en": "en_GB", "fr": "fr"}


def N_(text: str) -> str:
    """Mark a text for translation where it is written; a template translates it where it is shown."""
    return text


@cache
def translations(language: str) -> gettext.NullTranslations:
    """What turns the sentences of the code into those of a language."""
    file = files("aggregator.web") / "translations" / f"{language}.po"
    if not file.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as written:
        write_mo(compiled, read_po(written, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def spoken(asked: str) -> str:
    """The language of the interface that a browser asks for (RFC 9110 section 12.5.4)."""
    wanted = []
    for place, part in enumerate(asked.split(",")):
        name, _, rest = part.partition(";")
        quality = rest.strip().removeprefix("q=") or "1"
        is_number = quality.replace(".", "", 1).isdecimal()
        wanted.append((-float(quality) if is_number else 0.0, place, name.strip().lower()[:2]))
    return next((name for weight, _, name in sorted(wanted) if name in LANGUAGES and weight), "en")


def interface_of(language: str) -> str:
    """The language of the interface for what is written in a language (BCP 47): that one, or English."""
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else "en"


def zone_named(name: str) -> tzinfo | None:
    """The time zone of a name such as Europe/Paris; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _locale(language: str) -> Locale:
    """How a language writes times and numbers: read once, since a page shows hundreds of them."""
    return Locale.parse(_CLDR[language])


@lru_cache(maxsize=1_000)
def _day(language: str, day: date) -> str:
    return format_date(day, "d MMM y", locale=_locale(language))


@lru_cache(maxsize=1_000)
def _language_name(language: str, code: str) -> str:
    return str(_locale(language).languages.get(code, code))


@cache
def zones() -> tuple[str, ...]:
    """Every zone by the name of a city, as a person picks one."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc")))


@dataclass(frozen=True, slots=True)
class Reading:
    """How somebody reads: in which language, and by which clock."""

    language: str = "en"
    zone: tzinfo = UTC
    #: Whether one page serves many readers: each has its times shown by their own clock, by a script.
    is_shared: bool = False

    def say(self, sentence: str, **values: object) -> str:
        """A sentence of the code in this reader's language."""
        said = translations(self.language).gettext(sentence)
        return said % values if values else said

    def context(self) -> dict[str, object]:
        """What a template calls to show a time, a day or a number to this reader."""
        return {
            "language": self.language,
            "stamp": self.stamp,
            "clock": self.clock,
            "day": self.day,
            "weekday": self.weekday,
            "ago": self.ago,
            "number": self.number,
            "named": self.named,
            "zone": str(self.zone),
            "locale": _CLDR[self.language].replace("_", "-"),
        }

    def stamp(self, moment: datetime) -> Markup:
        """A time with its day, for a machine too."""
        own = moment.astimezone(self.zone)
        return self._time(moment, f"{self.day(own)}, {self._clock(own)}", form="stamp")

    def clock(self, moment: datetime) -> Markup:
        """A time of its day."""
        own = moment.astimezone(self.zone)
        return self._time(moment, self._clock(own), form="clock", title=self._full(moment))

    def day(self, moment: date) -> str:
        """A day in words."""
        return _day(self.language, moment.date() if isinstance(moment, datetime) else moment)

    def weekday(self, moment: date) -> str:
        """A day in words, with its name in the week."""
        # Whether a comma stands between the two is the language's own.
        usual = _locale(self.language).datetime_skeletons["yMMMEd"].pattern
        return format_date(moment, usual.replace("E", "EEEE"), locale=_locale(self.language))

    def ago(self, moment: datetime, now: datetime) -> Markup:
        """How long ago a time was, or how soon it comes."""
        said = format_timedelta(moment - now, add_direction=True, locale=_locale(self.language))
        return self._time(moment, said, title=self._full(moment))

    def number(self, count: float) -> str:
        """A number with the signs of the language."""
        return format_decimal(count, locale=_locale(self.language))

    def named(self, code: str) -> str:
        """What a language is called: "Polish"; the code itself where nobody knows it."""
        return _language_name(self.language, code)

    def _clock(self, own: datetime) -> str:
        # Alike in every language of the interface.
        return f"{own:%H:%M}"

    def _full(self, moment: datetime) -> str:
        own = moment.astimezone(self.zone)
        zone = "UTC" if self.zone is UTC else format_datetime(own, "z", locale=_locale(self.language))
        return f"{self.day(own)}, {self._clock(own)} {zone}"

    def _time(self, moment: datetime, words: str, *, form: str = "", title: str = "") -> Markup:
        # What it is rewritten as is said to the script: static/times.js knows the same two forms.
        about = f' data-local="{form}"' if self.is_shared and form else ""
        about += f' title="{escape(title)}"' if title else ""
        # Put together by hand, since a page may show hundreds; the words and the title are escaped.
        return Markup(f'<time datetime="{rfc3339(moment)}"{about}>{escape(words)}</time>')  # noqa: S704
