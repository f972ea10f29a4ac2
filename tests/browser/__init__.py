"""The desk in a real Chromium, as an editor uses it."""
