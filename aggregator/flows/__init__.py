"""Use cases: verbs on nouns. Each asks the tables what is left to do, and does it."""
