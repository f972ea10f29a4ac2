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
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup

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


def zone_named(name: str) -> tzinfo | None:
    """The time zone of a name such as Europe/Paris; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def zones() -> tuple[str, ...]:
    """Every zone by the name of a city, as a person picks one."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc")))


@dataclass(frozen=True, slots=True)
class Reading:
    """How somebody reads: in which language, and by which clock."""

    language: str = "en"
    zone: tzinfo = UTC

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
            "ago": self.ago,
            "number": self.number,
            "named": self.named,
            "zone": str(self.zone),
        }

    def stamp(self, moment: datetime) -> Markup:
        """A time with its day, for a machine too."""
        own = moment.astimezone(self.zone)
        return _time(moment, f"{self.day(own)}, {self._clock(own)}")

    def clock(self, moment: datetime) -> Markup:
        """A time of its day."""
        return _time(moment, self._clock(moment.astimezone(self.zone)), self._full(moment))

    def day(self, moment: date) -> str:
        """A day in words."""
        return format_date(moment, "d MMM y", locale=_CLDR[self.language])

    def ago(self, moment: datetime, now: datetime) -> Markup:
        """How long ago a time was, or how soon it comes."""
        said = format_timedelta(moment - now, add_direction=True, locale=_CLDR[self.language])
        return _time(moment, said, self._full(moment))

    def number(self, count: float) -> str:
        """A number with the signs of the language."""
        return format_decimal(count, locale=_CLDR[self.language])

    def named(self, code: str) -> str:
        """What a language is called: "Polish"; the code itself where nobody knows it."""
        return str(Locale.parse(_CLDR[self.language]).languages.get(code, code))

    def _clock(self, own: datetime) -> str:
        return format_time(own, "HH:mm", locale=_CLDR[self.language])

    def _full(self, moment: datetime) -> str:
        own = moment.astimezone(self.zone)
        return format_datetime(own, "d MMM y, HH:mm z", locale=_CLDR[self.language])


def _time(moment: datetime, words: str, title: str = "") -> Markup:
    about = Markup(' title="{}"').format(title) if title else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(rfc3339(moment), about, words)
