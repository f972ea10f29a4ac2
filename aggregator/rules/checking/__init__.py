"""Where a brief and the wire disagree, one module a kind of claim. `aggregator.rules.checks` is the way in."""
