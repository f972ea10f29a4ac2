"""HTTP by the letter: which bytes a request gets, as tables of cases."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from aggregator.web.answers import (
    Part,
    Unsatisfiable,
    asked_headers,
    choose,
    compressed,
    make_resource,
    read_range,
    respond,
)

BODY = b"0123456789" * 30
MODIFIED = datetime(2025, 2, 18, 9, 0, 2, tzinfo=UTC)
DATE = "Tue, 18 Feb 2025 09:00:02 GMT"
EARLIER = "Tue, 18 Feb 2025 09:00:01 GMT"
LATER = "Tue, 18 Feb 2025 09:00:03 GMT"

RESOURCE = make_resource(
    compressed(BODY),
    "text/plain; charset=utf-8",
    headers=[("Cache-Control", "public, max-age=60")],
    last_modified=MODIFIED,
)
GZIP, PLAIN = RESOURCE.representations


def status(**asked: str) -> int:
    """The status of a GET with these headers."""
    return respond("GET", {name.replace("_", "-"): value for name, value in asked.items()}, RESOURCE).status


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("br", "identity"),
        ("*", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, *", "identity"),
        ("*;q=0", "identity"),
        ("gzip;q=0.1", "gzip"),
        ("gzip ; q=0.5, identity;q=0.6", "identity"),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip;q=0.2, *;q=0.5", "identity"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0", "identity"),
        ("gzip;q=much", "identity"),
        ("gzip;q=2", "identity"),
        (", ,gzip,", "gzip"),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(accepted: str | None, coding: str) -> None:
    assert choose(RESOURCE.representations, accepted).coding == coding


def test_the_compressed_twin_is_the_same_text_and_the_same_bytes_every_time() -> None:
    assert gzip.decompress(GZIP.body) == BODY
    assert compressed(BODY) == compressed(BODY)
    assert GZIP.etag != PLAIN.etag


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("bytes=0-99", Part(0, 99)),
        ("bytes=100-", Part(100, 299)),
        ("bytes=-10", Part(290, 299)),
        ("bytes=-1000", Part(0, 299)),
        ("bytes=290-1000", Part(290, 299)),
        ("BYTES = 5 - 5", Part(5, 5)),
        ("bytes=0-9,20-29", None),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("lines=0-9", None),
        ("", None),
    ],
)
def test_one_range_is_answered_and_anything_else_is_ignored(written: str, expected: Part | None) -> None:
    assert read_range(written, 300) == expected


@pytest.mark.parametrize("written", ["bytes=300-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_outside_of_the_body_is_unsatisfiable(written: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(written, 300)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, 200),
        ({"if-none-match": PLAIN.etag}, 304),
        ({"if-none-match": f"W/{PLAIN.etag}"}, 304),
        ({"if-none-match": f'"other", {PLAIN.etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-none-match": GZIP.etag}, 200),
        ({"if-none-match": GZIP.etag, "accept-encoding": "gzip"}, 304),
        ({"if-none-match": PLAIN.etag, "accept-encoding": "gzip"}, 200),
        ({"if-modified-since": DATE}, 304),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-none-match": '"other"', "if-modified-since": DATE}, 200),
        ({"if-none-match": PLAIN.etag, "if-modified-since": EARLIER}, 304),
        ({"if-none-match": PLAIN.etag, "range": "bytes=0-9"}, 304),
        ({"if-match": "*"}, 200),
        ({"if-match": PLAIN.etag}, 200),
        ({"if-match": f"W/{PLAIN.etag}"}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-match": PLAIN.etag, "if-unmodified-since": EARLIER}, 200),
        ({"if-unmodified-since": DATE}, 200),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-unmodified-since": "yesterday"}, 200),
    ],
)
def test_conditions_are_weighed_as_the_standard_says(asked: dict[str, str], expected: int) -> None:
    assert respond("GET", asked, RESOURCE).status == expected
    assert respond("HEAD", asked, RESOURCE).status == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (PLAIN.etag, 206),
        (f"W/{PLAIN.etag}", 200),
        ('"other"', 200),
        (GZIP.etag, 200),
        (DATE, 206),
        (EARLIER, 200),
        (LATER, 200),
        ("yesterday", 200),
    ],
)
def test_a_download_goes_on_only_with_the_same_bytes(condition: str, expected: int) -> None:
    assert status(range="bytes=100-", if_range=condition) == expected


def test_a_part_says_where_it_stands() -> None:
    answer = respond("GET", {"range": "bytes=10-19"}, RESOURCE)
    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (206, b"0123456789")
    assert headers[b"content-range"] == b"bytes 10-19/300"
    assert headers[b"content-length"] == b"10"
    assert [name for name, _ in answer.headers].count(b"content-length") == 1
    assert headers[b"etag"] == PLAIN.etag.encode()


def test_a_part_of_the_compressed_bytes_is_a_part_of_those_bytes() -> None:
    answer = respond("GET", {"range": "bytes=0-9", "accept-encoding": "gzip"}, RESOURCE)
    assert answer.body == GZIP.body[:10]
    assert dict(answer.headers)[b"content-range"] == f"bytes 0-9/{len(GZIP.body)}".encode()


def test_a_part_that_is_not_there_is_answered_with_the_size() -> None:
    answer = respond("GET", {"range": "bytes=300-"}, RESOURCE)
    assert (answer.status, answer.body) == (416, b"")
    assert dict(answer.headers)[b"content-range"] == b"bytes */300"


def test_several_parts_at_once_are_answered_with_the_whole() -> None:
    answer = respond("GET", {"range": "bytes=0-9,20-29"}, RESOURCE)
    assert (answer.status, answer.body) == (200, BODY)


def test_head_says_what_get_would_and_sends_nothing() -> None:
    for accepted in ("identity", "gzip"):
        got = respond("GET", {"accept-encoding": accepted}, RESOURCE)
        headed = respond("HEAD", {"accept-encoding": accepted, "range": "bytes=0-9"}, RESOURCE)
        assert headed.headers == got.headers
        assert headed.body == b""


def test_a_304_repeats_what_caches_need_and_nothing_of_the_body() -> None:
    answer = respond("GET", {"if-none-match": "*"}, RESOURCE)
    assert {name for name, _ in answer.headers} == {b"cache-control", b"vary", b"last-modified", b"etag"}
    assert answer.body == b""


def test_lines_of_one_header_are_one_list() -> None:
    asked = asked_headers([(b"If-None-Match", b'"a"'), (b"if-none-match", PLAIN.etag.encode())])
    assert respond("GET", asked, RESOURCE).status == 304
