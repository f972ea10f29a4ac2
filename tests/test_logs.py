"""Log lines: what is said can be found, and what strangers send does no harm in them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from aggregator import logs
from aggregator.logs import JsonFormatter, LogSettings, TextFormatter, masked


def record(message: str, **facts: object) -> logging.LogRecord:
    """A line about to be written."""
    made = logging.getLogger("aggregator.flows.ingest").makeRecord(
        "aggregator.flows.ingest", logging.INFO, "ingest.py", 1, message, (), None, extra=facts
    )
    made.created = 1_772_532_672.345
    return made


@pytest.fixture
def within() -> Iterator[None]:
    """A request and a fetch that are under way."""
    request, fetch = logs.REQUEST.set("4711abcd"), logs.FETCH.set("17-20260303T101110")
    yield
    logs.FETCH.reset(fetch)
    logs.REQUEST.reset(request)


def test_a_line_of_text_says_when_who_what_and_the_facts(within: None) -> None:
    line = TextFormatter().format(
        record("fetch failed", source=17, kind="timeout", status=None, why="too slow")
    )
    assert line == (
        "2026-03-03T10:11:12.345Z INFO    aggregator.flows.ingest: fetch failed request=4711abcd"
        ' fetch=17-20260303T101110 source=17 kind=timeout status=None why="too slow"'
    )


def test_a_line_of_json_has_the_facts_as_fields(within: None) -> None:
    line = JsonFormatter().format(record("fetch failed", source=17, is_last=True, seconds=1.5, level="loud"))
    assert json.loads(line) == {
        "time": "2026-03-03T10:11:12.345Z",
        "level": "info",
        "logger": "aggregator.flows.ingest",
        "message": "fetch failed",
        "request": "4711abcd",
        "fetch": "17-20260303T101110",
        "source": 17,
        "is_last": True,
        "seconds": 1.5,
    }


@pytest.mark.parametrize(
    "bad", ["\n", "\r\n", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e", "\u200b", "\U000e0041"]
)
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_nothing_that_strangers_send_begins_a_line_or_moves_a_cursor(
    formatter: logging.Formatter, bad: str
) -> None:
    forged = f"x{bad}2026-03-03T10:11:12.345Z ERROR   root: all is lost"
    line = formatter.format(record(forged, reason=forged))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_a_traceback_is_in_lines_that_cannot_be_taken_for_others() -> None:
    made = record("job failed", task="poll")
    try:
        raise ValueError("no\n2026-03-03T10:11:12.345Z ERROR   root: all is lost")
    except ValueError:
        made.exc_info = sys.exc_info()
    first, *rest = TextFormatter().format(made).split("\n")
    assert first.endswith("job failed task=poll")
    assert rest
    assert all(line.startswith("  | ") for line in rest)
    assert "all is lost" in json.loads(JsonFormatter().format(made))["trace"]


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:hush-hush@news.example/feed",
        "https://news.example/feed?api_key=hush-hush",
        "https://news.example/feed?token=hush-hush&x=1",
        "http://127.0.0.1:8000/desk/join?token=hush-hush cannot be used",
        "postgresql://ann:hush-hush@db.example:5432/desk refused",
        "Authorization: Bearer hush-hush",
        "authorization=Basic hush-hush==",
        "password=hush-hush",
        "{'password': 'hush-hush'}",
        "Cookie: __Host-wirebrief=hush-hush",
        "metrics_token = hush-hush",
        "secret whsec_hush-hush is none",
        "https://[hush-hush/",
    ],
)
def test_what_opens_something_is_masked(text: str) -> None:
    assert "hush-hush" not in masked(text)
    for formatter in (TextFormatter(), JsonFormatter()):
        assert "hush-hush" not in formatter.format(record(text, reason=text))


@pytest.mark.parametrize("name", ["key", "token", "password", "secret", "cookie", "Authorization"])
def test_a_fact_with_the_name_of_a_secret_is_masked_whatever_it_is(name: str) -> None:
    line = TextFormatter().format(record("signed in", **{name: "hush hush", "by": "ann"}))
    assert "hush" not in line
    assert line.endswith(f"{name}=*** by=ann")


def test_what_opens_nothing_is_left_as_it_is() -> None:
    for text in (
        "https://news.example/2026/03/talks?page=2",
        "postgresql://ann@db.example/desk",
        "it answered 404",
        "the key figures of the day",
    ):
        assert masked(text) == text


def test_the_settings_say_how_and_how_much_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    root, httpx_log = logging.getLogger(), logging.getLogger("httpx")
    before = (root.level, list(root.handlers))
    try:
        logs.begin(LogSettings(format="json"))
        logging.getLogger("aggregator").info("quiet")
        logging.getLogger("aggregator").warning("loud")
        logs.begin(LogSettings(), verbose=True)
        logging.getLogger("aggregator").info("said")
        httpx_log.info("GET https://news.example/feed")
        *_, loud, said = capsys.readouterr().err.splitlines()
    finally:
        root.removeHandler(logs._HANDLER)
        root.setLevel(before[0])
    assert root.handlers == before[1]
    assert json.loads(loud)["message"] == "loud"
    assert said.endswith("INFO    aggregator: said")
