"""What a text says: its words, its language, its quotations. Pure functions of text."""
