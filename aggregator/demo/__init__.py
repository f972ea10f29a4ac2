"""The product shown on a machine without a network: a small wire of our own, briefs and picks."""
