"""What of a channel a partner is given."""

from __future__ import annotations

from aggregator.model import Reuse
from aggregator.outgoing import Partner
from aggregator.rules.channels import Site
from aggregator.rules.entries import narrowed
from feeds.model import Entry


def takes_all(partner: Partner) -> bool:
    """Whether a partner is given every entry of its channels, as it is."""
    return not partner.languages and not partner.topics and partner.reuse is Reuse.FULL


def given_to(partner: Partner, entry: Entry, site: Site) -> Entry | None:
    """An entry with no more of it than a partner may have; None where it may have none of it.

    A withdrawal is for whoever may have had the entry, so only its language counts.
    """
    if partner.reuse is Reuse.NONE and entry.origin is not None:
        return None
    language = (entry.language or "").partition("-")[0].lower()
    if partner.languages and language not in partner.languages:
        return None
    topics = {category.term for category in entry.categories if category.scheme == site.page("topics")}
    if partner.topics and topics.isdisjoint(partner.topics):
        return None
    return narrowed(entry, partner.reuse)
