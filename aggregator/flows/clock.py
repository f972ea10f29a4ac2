"""The clock is looked at: set back, it would leave everything waiting for a time that has been."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from aggregator.model import Clock
from aggregator.rules.cadence import in_words
from aggregator.store import clock_steps
from aggregator.store.database import Database

log = logging.getLogger(__name__)


async def look_at_clock(database: Database, clock: Clock) -> timedelta:
    """How far the clock was set back since it was looked at last; what waits is moved along with it."""
    back = await database.write(partial(clock_steps.see, now=clock()))
    if back:
        log.warning("the clock was set back", extra={"by": in_words(back)})
    return back
