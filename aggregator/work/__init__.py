"""How work starts, never what it does: the flows come in a table made by `app`."""
