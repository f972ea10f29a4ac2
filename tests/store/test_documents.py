from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aggregator.outgoing import Codings, StoredDocument
from aggregator.store import documents
from aggregator.store.database import Database
from tests.conftest import NOW

DAY = timedelta(days=1)
BYTES = Codings(b"<feed/>\x00\xff", b"\x1f\x8b", b"\x0b", b"\x28\xb5")
ATOM = StoredDocument(
    channel="talks", format="atom", state="s1", media_type="application/atom+xml", codings=BYTES,
    etag='"1"', last_modified=NOW, holds=(("urn:1", 2),),
)  # fmt: skip


def put(database: Database, *some: StoredDocument) -> None:
    for document in some:
        database.write_now(lambda s, document=document: documents.put(s, document))  # type: ignore[misc]


def get(database: Database, channel: str = "talks", format: str = "atom") -> StoredDocument | None:
    return database.read_now(lambda s: documents.get(s, channel, format))


def keep(database: Database, new: dict[str, bytes], *used: str, day: int = 0) -> None:
    database.write_now(lambda s: documents.keep_fragments(s, new, used, now=NOW + day * DAY))


def kept(database: Database, *digests: str) -> dict[str, bytes]:
    return database.read_now(lambda s: documents.fragments(s, digests))


def test_a_document_is_served_byte_for_byte(database: Database) -> None:
    assert get(database) is None
    put(database, ATOM)
    assert get(database) == ATOM
    assert get(database, format="rss") is None


def test_a_document_is_replaced_at_once(database: Database) -> None:
    newer = replace(
        ATOM,
        state="s2",
        codings=replace(BYTES, body=b"<feed>2</feed>"),
        etag='"2"',
        last_modified=NOW + DAY,
    )
    put(database, ATOM, newer)
    assert get(database) == newer
    assert database.read_now(documents.all_documents) == [newer]


def test_the_stamps_tell_which_copies_are_fresh(database: Database) -> None:
    rss = replace(ATOM, format="rss", etag='"r"')
    put(database, ATOM, rss)
    assert database.read_now(documents.stamps) == {("talks", "atom"): '"1"', ("talks", "rss"): '"r"'}
    found = database.read_now(documents.all_documents)
    assert sorted(document.format for document in found) == ["atom", "rss"]


def test_the_documents_of_channels_no_longer_declared_are_forgotten(database: Database) -> None:
    put(database, ATOM, replace(ATOM, channel="war"))
    database.write_now(lambda s: documents.drop_channels(s, ["talks"]))
    assert set(database.read_now(documents.stamps)) == {("talks", "atom")}
    database.write_now(lambda s: documents.drop_channels(s, []))
    assert database.read_now(documents.stamps) == {}


def test_rendered_entries_are_kept_once(database: Database) -> None:
    keep(database, {"a": b"<a/>", "b": b"<b/>"})
    keep(database, {"a": b"<other/>"})
    assert kept(database, "a", "b", "c") == {"a": b"<a/>", "b": b"<b/>"}
    assert kept(database) == {}


def test_fragments_that_no_document_uses_are_pruned(database: Database) -> None:
    keep(database, {"old": b"1", "used": b"2"})
    keep(database, {"new": b"3"}, "used", day=5)
    assert database.write_now(lambda s: documents.prune_fragments(s, NOW + 5 * DAY)) == 1
    assert set(kept(database, "old", "used", "new")) == {"used", "new"}


def test_more_fragments_than_one_statement_takes_are_kept_and_found(narrow: Database) -> None:
    many = {f"{n}": b"x" for n in range(700)}
    keep(narrow, many)
    keep(narrow, {}, *many, day=5)
    assert kept(narrow, *many) == many
    assert narrow.write_now(lambda s: documents.prune_fragments(s, NOW + DAY)) == 0
