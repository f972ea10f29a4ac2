"""The same history gives the same bytes: on either database, in any process, whatever its hashes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from aggregator.store.database import Database
from tests.conftest import Server
from tests.flows import same_bytes
from tests.flows.same_bytes import lives


async def test_both_databases_and_two_processes_publish_the_same_bytes(
    sqlite_database: Database, postgresql_server: Server, tmp_path: Path
) -> None:
    with Database(postgresql_server.swept()) as other:
        on_sqlite, on_postgresql = await lives(sqlite_database), await lives(other)
    assert on_sqlite == on_postgresql
    elsewhere = [
        await asyncio.to_thread(in_a_process, f"sqlite:///{tmp_path / f'{seed}.db'}", seed)
        for seed in ("1", "2")
    ]
    assert elsewhere == [on_sqlite, on_sqlite]


def in_a_process(url: str, hash_seed: str) -> str:
    """The digest of the same history in a process whose sets have another order."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", same_bytes.__name__, url],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout
