from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.rules.wire_views import Cursor, View, read_cursor, read_view, view_of
from tests.conftest import NOW


def test_a_view_is_the_same_whether_read_from_fields_or_from_an_address() -> None:
    view = View(q='київ OR "peace talks"', topic="talks", language="uk", source="3", span="7d", state="open")
    assert view_of(view.query) == view
    assert View().query == ""
    assert view_of("") == View()


def test_what_cannot_be_read_asks_for_nothing() -> None:
    assert read_view({"span": "9y", "state": "sold", "q": " grain ", "other": "x"}) == View(q="grain")


def test_a_span_reaches_back_from_now() -> None:
    assert View(span="1d").since(NOW) == NOW - timedelta(days=1)
    assert View().since(NOW) is None


@pytest.mark.parametrize("at", [NOW, datetime(1969, 7, 20, 20, 17, 40, 7, tzinfo=UTC)])
def test_a_cursor_survives_the_address(at: datetime) -> None:
    cursor = Cursor(at, 12, 99)
    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "yesterday", "1-2", "1-2-3-4", "1" * 40 + "-1-1", "²-1-1"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert read_cursor(text) is None


def test_the_farthest_times_of_a_cursor_can_be_read() -> None:
    assert read_cursor("9999999999999999-1-1") is not None
    assert read_cursor("-9999999999999999-1-1") is not None
