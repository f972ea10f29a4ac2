"""Values that no form of ours sends, for whatever takes a value."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st

from aggregator import web

#: What broke programs before: numbers past a column or past Python's own limit, text that is no text, words of
#: databases, templates and search languages.
VALUES = (
    "", " ", "0", "-1", "1", "2", "1.5", "1e999", "NaN", "Infinity", "-9223372036854775809", "9223372036854775808",
    "2147483648", "9" * 30, "9" * 5_000, "٣", "²", "0x10", "1_000", "+1", " 1 ", "true", "null", "[]", "{}", "[1,2]",
    "\x00", "a\x00b", "\x7f\x80", "\ud800", "\ufffe", "\u202eabc", "\u200b", "a\r\nX-Evil: 1", "a\nb", "\t", "\x1b[2J",
    "'", "''", '"', "\\", "%", "_", "%%%", "%s%s%n", "' OR 1=1--", "'; DROP TABLE stories;--", "1) UNION SELECT 1--",
    '"unclosed', "(", ")", "((((((((", ")" * 50, "(" * 3_000, "a OR", "OR", "NOT", "NOT NOT NOT", "a NEAR b", "a*", "*",
    "**", "title:", "title:x", "^a", "a AND AND b", "-", "- -", "& | !", "a & !", "<->", ":*", "a:b:c", "a <2> b",
    "../../etc/passwd", "..%2f..%2fetc", "/", "//evil.example", "\\\\evil.example", "https://evil.example/", "javascript:1",
    "{{7*7}}", "{% raise %}", "${7*7}", "%(name)s", "{0.__class__}", "#{7}", "<script>1</script>", "&lt;", "]]>", "<!--",
    "2025-02-30", "2025-02-18", "9999-12-31T23:59:59Z", "0001-01-01", "2025-02-18T09:00+99:00", "24:61", "1h", "99999999d",
    "en", "xx-yy-zz", "UTC", "Europe/Paris", "../UTC", "/etc/localtime", "Etc/GMT+99", "admin", "chief", "riyadh", "all",
    "x" * 300, "é" * 2_000, "😀" * 100, "a" * 70_000,
)  # fmt: skip

#: One of these, or whatever Hypothesis thinks of.
odd = st.sampled_from(VALUES) | st.text(max_size=30) | st.integers().map(str)

_FIELD = re.compile(r'\bname="([A-Za-z_][\w-]*)"')
_MORE = (
    "act", "added", "before", "behind", "code", "decided", "done", "entries", "error", "kind", "like", "limit", "made", "n",
    "next", "page", "q", "query", "saved", "show", "since", "sort", "source", "state", "sure", "take0", "theme", "title",
    "token", "told", "topic", "url0", "versions", "zone", "hub.mode", "hub.topic", "hub.callback", "hub.lease_seconds",
)  # fmt: skip


def fields() -> list[str]:
    """The names of all fields that a page of ours sends, and of what addresses take."""
    return sorted({*_MORE, *_in_templates()} - {"form_token"})


def _in_templates() -> Iterator[str]:
    for path in (Path(web.__file__).parent / "templates").rglob("*.html"):
        yield from _FIELD.findall(path.read_text(encoding="utf-8"))
