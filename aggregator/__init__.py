"""wirebrief: follows wire feeds, ties their stories to briefs, publishes both as one feed."""

__version__ = "0.1.0"
