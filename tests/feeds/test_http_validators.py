"""Asking only for what is new, and answering those who ask so."""

from __future__ import annotations

import pytest

from feeds.http import Validators, is_unmodified

MONDAY = "Mon, 05 Jan 2026 08:00:00 GMT"
TUESDAY = "Tue, 06 Jan 2026 08:00:00 GMT"


def test_a_feed_is_asked_with_both_validators_that_it_gave() -> None:
    heard = Validators.from_headers({"ETag": '"v1"', "Last-Modified": MONDAY})
    assert heard.request_headers() == {"If-None-Match": '"v1"', "If-Modified-Since": MONDAY}


def test_a_feed_that_gave_nothing_is_asked_for_all() -> None:
    assert Validators.from_headers({}).request_headers() == {}
    assert Validators().request_headers() == {}


@pytest.mark.parametrize("etag", ['""', 'W/""', "", "   ", '"line\nbreak"', '"Київ"'])
def test_an_etag_that_would_freeze_or_break_the_feed_is_not_sent(etag: str) -> None:
    assert Validators.from_headers({"etag": etag}).etag is None
    assert Validators(etag=etag.strip()).request_headers() == {}


def test_an_etag_without_quotes_goes_back_as_it_came() -> None:
    assert Validators.from_headers({"etag": "abc123"}).request_headers() == {"If-None-Match": "abc123"}


@pytest.mark.parametrize(
    "modified",
    [
        "Tue, 19 Jan 2038 03:14:07 GMT",
        "2038-01-19",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "",
        "Mon, 05 Jan 2026\r\nX: y",
    ],
)
def test_a_date_of_a_server_without_a_clock_is_not_sent(modified: str) -> None:
    assert Validators.from_headers({"last-modified": modified}).last_modified is None
    assert Validators(last_modified=modified).request_headers() == {}


def test_a_date_in_a_form_of_its_own_goes_back_as_it_came() -> None:
    odd = "2026-01-05 08:00:00"
    assert Validators.from_headers({"last-modified": odd}).request_headers() == {"If-Modified-Since": odd}


def test_a_304_renews_what_it_names_and_keeps_the_rest() -> None:
    known = Validators('"v1"', MONDAY)
    assert known.updated_by({"ETag": '"v2"'}) == Validators('"v2"', MONDAY)
    assert known.updated_by({"Last-Modified": TUESDAY}) == Validators('"v1"', TUESDAY)


@pytest.mark.parametrize(
    ("wanted", "etag"),
    [
        ('"v1"', '"v1"'),
        ('W/"v1"', '"v1"'),
        ('"v1"', 'W/"v1"'),
        ('"v0", "v1"', '"v1"'),
        ('W/"v0" ,W/"v1" , "v2"', '"v1"'),
        ('"v0", "with,comma"', '"with,comma"'),
        ("*", '"v1"'),
        ("  *  ", None),
        ('"v1-gzip"', '"v1"'),
        ('"v1;gzip"', '"v1"'),
        ('"v1--gzip"', '"v1"'),
        ('W/"v1-br"', '"v1"'),
        ('"v1-gzip"', '"v1-gzip"'),
    ],
)
def test_a_subscriber_who_names_our_tag_has_our_bytes(wanted: str, etag: str | None) -> None:
    assert is_unmodified({"If-None-Match": wanted}, etag=etag, last_modified=None)


@pytest.mark.parametrize(
    ("wanted", "etag"),
    [
        ('"v0"', '"v1"'),
        ('"v1"', '"v1-gzip"'),
        ('"V1"', '"v1"'),
        ("v1", '"v1"'),
        ("", '"v1"'),
        ('"v1"', None),
        ('"v1"', "v1"),
        ('w/"v2"', '"v1"'),
    ],
)
def test_a_subscriber_who_names_another_tag_gets_the_feed(wanted: str, etag: str | None) -> None:
    assert not is_unmodified({"If-None-Match": wanted}, etag=etag, last_modified=None)


def test_a_tag_wins_over_a_date() -> None:
    headers = {"if-none-match": '"v0"', "if-modified-since": TUESDAY}
    assert not is_unmodified(headers, etag='"v1"', last_modified=MONDAY)
    headers = {"if-none-match": '"v1"', "if-modified-since": MONDAY}
    assert is_unmodified(headers, etag='"v1"', last_modified=TUESDAY)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (MONDAY, True),
        (TUESDAY, True),
        ("Sun, 04 Jan 2026 08:00:00 GMT", False),
        ("Monday, 05-Jan-26 08:00:00 GMT", True),
        ("Mon Jan  5 08:00:00 2026", True),
        ("2026-01-06", False),
        ("Tue, 06 Jan 2026 08:00:00 +0000", False),
        ("yesterday", False),
        (f"{TUESDAY}, {TUESDAY}", False),
    ],
)
def test_a_date_counts_when_it_is_a_date(since: str, expected: bool) -> None:
    assert is_unmodified({"If-Modified-Since": since}, etag='"v1"', last_modified=MONDAY) is expected


def test_who_asks_without_conditions_gets_the_feed() -> None:
    assert not is_unmodified({}, etag='"v1"', last_modified=MONDAY)
    assert not is_unmodified({"If-Modified-Since": MONDAY}, etag='"v1"', last_modified=None)
    assert not is_unmodified({"If-Modified-Since": MONDAY}, etag='"v1"', last_modified="never")
