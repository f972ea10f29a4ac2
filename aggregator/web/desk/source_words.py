"""How the pages of sources call things."""

from __future__ import annotations

from aggregator.model import AlarmKind, Outcome, Reuse, SourceKind
from aggregator.rules.standing import Standing
from aggregator.web.locales import N_
from feeds.errors import FailureKind

#: The filters of the list, by their name in the address.
FILTERS = {
    "all": N_("All"),
    "alarm": N_("Alarm"),
    "failing": N_("Failing"),
    "silent": N_("Silent"),
    "paused": N_("Paused"),
    "never": N_("Never answered"),
}

#: The orders of the list, by their name in the address.
ORDERS = {
    "trouble": N_("Trouble first"),
    "name": N_("By name"),
    "newest": N_("Newest story first"),
    "stories": N_("Most stories first"),
    "next": N_("Next to be asked first"),
}

#: What stands beside the name of a source that is not simply well.
STANDINGS = {
    Standing.GONE: N_("gone"),
    Standing.FAILING: N_("failing"),
    Standing.NEVER: N_("never answered"),
    Standing.SILENT: N_("silent"),
    Standing.WAITING: N_("not asked yet"),
    Standing.PAUSED: N_("paused"),
}

#: What an alarm is about.
ALARMS = {
    AlarmKind.SILENT: N_("alarm: silent"),
    AlarmKind.FAILING: N_("alarm: failing"),
    AlarmKind.FEWER: N_("alarm: shows far less"),
}

KINDS = {
    SourceKind.WIRE: N_("Wire"),
    SourceKind.NEWS: N_("News"),
    SourceKind.BLOG: N_("Blog"),
}

#: How eagerly each kind is asked.
PACES = {
    SourceKind.WIRE: N_("Asked by the minute: an agency, or whatever must not be late."),
    SourceKind.NEWS: N_("Asked every few minutes: a newspaper, a broadcaster, a ministry."),
    SourceKind.BLOG: N_("Asked by the hour: a blog, a think tank, a monthly."),
}

REUSES = {
    Reuse.NONE: N_("Nothing"),
    Reuse.HEADLINE: N_("Headline"),
    Reuse.SUMMARY: N_("Summary"),
    Reuse.FULL: N_("Everything"),
}

#: What each measure passes on.
PASSED_ON = {
    Reuse.NONE: N_("For the desk alone: no channel carries its stories."),
    Reuse.HEADLINE: N_("Channels carry title, link, time and source."),
    Reuse.SUMMARY: N_("The summary as well, without the text and the pictures."),
    Reuse.FULL: N_("The whole entry as its feed gives it."),
}

OUTCOMES = {
    Outcome.UNCHANGED: N_("unchanged"),
    Outcome.FETCHED: N_("read"),
    Outcome.FAILED: N_("failed"),
    Outcome.PUSHED: N_("sent by its hub"),
    Outcome.AGAIN: N_("read again"),
}

#: The ways of failing, in a few words.
FAILURES = {
    FailureKind.BAD_URL: N_("no web address"),
    FailureKind.PRIVATE_ADDRESS: N_("private address"),
    FailureKind.UNKNOWN_HOST: N_("unknown server"),
    FailureKind.UNREACHABLE: N_("not reached"),
    FailureKind.TLS: N_("no secure connection"),
    FailureKind.TIMEOUT: N_("no answer in time"),
    FailureKind.BROKEN_ANSWER: N_("broken answer"),
    FailureKind.TOO_LARGE: N_("too large"),
    FailureKind.TOO_MANY_REDIRECTS: N_("redirects without end"),
    FailureKind.RATE_LIMITED: N_("asked us to wait"),
    FailureKind.UNAVAILABLE: N_("out of service"),
    FailureKind.SERVER_ERROR: N_("fault of the server"),
    FailureKind.REFUSED: N_("refused, or wants a login"),
    FailureKind.NOT_FOUND: N_("not found"),
    FailureKind.GONE: N_("gone for good"),
    FailureKind.NOT_A_FEED: N_("not a feed"),
    FailureKind.OURS: N_("not asked, our side is at its limit"),
}

#: What to do where an address cannot be followed.
ADVICE = {
    FailureKind.BAD_URL: N_("Check the address: it begins with https:// or http:// and names a server."),
    FailureKind.PRIVATE_ADDRESS: N_(
        "Addresses of private networks are not asked. Whoever runs this can allow it in the settings."
    ),
    FailureKind.UNKNOWN_HOST: N_("Check the name of the server: nobody knows it."),
    FailureKind.UNREACHABLE: N_(
        "The server does not take connections. Check the address, or try again later."
    ),
    FailureKind.TLS: N_("The secure connection is not sound. Tell the publisher, or try again later."),
    FailureKind.TIMEOUT: N_("The server took too long. Try again, or at a quieter hour."),
    FailureKind.REFUSED: N_(
        "The server wants a login or lets no program read this. Ask the publisher for the address of a feed."
    ),
    FailureKind.NOT_FOUND: N_("Nothing stands at this address. Open the site and copy the address anew."),
    FailureKind.GONE: N_("The publisher has ended this feed. Look on the site for another one."),
    FailureKind.NOT_A_FEED: N_(
        "Something stands there, but it is no feed. Try the address of the front page."
    ),
    FailureKind.TOO_LARGE: N_("It is larger than what is read. Look on the site for a smaller feed."),
}
TRY_LATER = N_("Try again in a few minutes.")
NO_FEED = N_(
    "This is a page, and neither it nor the usual places of its site lead to a feed. Ask the publisher."
)
NO_ADDRESS = N_("This is no web address: write one that begins with https:// or http://.")
BUSY = N_("Several addresses are being looked at just now: try again in a moment.")
NO_LIST = N_("Choose a file, or give the address of a list.")
CHOOSE = N_("Tick at least one feed.")

#: What was done, by the word that the address of the next page says.
TOLD = {
    "saved": N_("Saved. Channels follow within seconds."),
    "paused": N_("Paused: it is not asked any more, and its stories stay."),
    "resumed": N_("It goes on, and is asked when its turn comes."),
    "keep": N_("Saved. What is older goes within hours."),
    "asked": N_("It is asked now. What comes is here when you load this page again."),
    "identified": N_("Saved. It holds from the next fetch on."),
    "kept": N_("It gave stories, which are kept; so it stands here, paused."),
    "moved": N_("It is followed at its new address, and asked there now. Its stories stay its own."),
    "refused": N_("Kept where it is. That address is not proposed again."),
    "stopped": N_("It is no longer followed. It had given no story."),
    "followed": N_("It is followed, and asked for the first time now."),
    "known": N_("It was followed already, and stays as it was."),
}

_FAMILIES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed", "cdf": "CDF"}


def format_named(version: str) -> str:
    """A format as people call it: "rss20" is RSS 2.0, "atom10" Atom 1.0."""
    family = version.rstrip("0123456789")
    digits = version[len(family) :]
    number = f" {digits[0]}.{digits[1:]}" if len(digits) > 1 else ""
    return _FAMILIES.get(family, family.upper()) + number
