"""The real command in a process of its own, real feeds, real subscribers."""
