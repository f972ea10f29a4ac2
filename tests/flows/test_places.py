"""Who may ask a host at a time."""

from __future__ import annotations

import asyncio
import gc

from aggregator.flows import places
from aggregator.flows.places import place_at


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
