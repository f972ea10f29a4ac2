"""Who may ask a host at a time."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime, timedelta

import pytest

from aggregator.flows import places
from aggregator.flows.places import Quiet, place_at
from tests.conftest import NOW


async def test_all_who_wait_for_a_host_share_its_places() -> None:
    at_once, most = 0, 0

    async def ask() -> None:
        nonlocal at_once, most
        async with place_at("big.example", most=2):
            at_once += 1
            most = max(most, at_once)
            # Whatever is not held is taken away here.
            gc.collect()
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*(ask() for _ in range(9)))
    assert most == 2


async def test_a_host_that_nobody_asks_takes_no_memory() -> None:
    for number in range(9):
        async with place_at(f"host{number}.example", most=1):
            pass
    gc.collect()
    assert not places._of_loop[asyncio.get_running_loop()]


@pytest.mark.parametrize("is_heeded", [True, False])
async def test_a_domain_that_told_another_worker_to_wait_is_left_alone_by_this_one(
    is_heeded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LOOK", timedelta())
    # What stood before the round was heeded when it was claimed, save where an editor insists.
    standing = {"old.example": NOW + timedelta(hours=1)}

    async def others() -> tuple[dict[str, datetime], datetime]:
        return dict(standing), NOW

    quiet = Quiet(is_heeded=is_heeded, others=others)
    assert await quiet.is_over("https://feeds.old.example/1")
    assert await quiet.is_over("https://feeds.new.example/1")
    standing["new.example"] = NOW + timedelta(hours=1)
    assert await quiet.is_over("https://feeds.new.example/2") is not is_heeded
    assert await quiet.is_over("https://feeds.old.example/2")


async def test_others_are_not_looked_at_for_every_feed() -> None:
    looks = 0

    async def others() -> tuple[dict[str, datetime], datetime]:
        nonlocal looks
        looks += 1
        return {}, NOW

    quiet = Quiet(is_heeded=True, others=others)
    for number in range(50):
        assert await quiet.is_over(f"https://host{number}.example/")
    assert looks == 1
