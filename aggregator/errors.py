"""What can go wrong at the desk.

- `AggregatorError`: something did not work; the message says what, and what to do.
  - `BadInput`: what was typed, pasted or configured cannot be taken as it is.
"""

from __future__ import annotations


class AggregatorError(Exception):
    """Something did not work; the message says what, and what to do."""


class BadInput(AggregatorError):
    """What was typed, pasted or configured cannot be taken as it is."""
