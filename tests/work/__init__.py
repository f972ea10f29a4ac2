"""How work starts."""
