"""The editors' desk in a browser. All of it works without JavaScript, and nothing of it is cached."""
