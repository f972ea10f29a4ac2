"""The flows, from a scripted wire on loopback to what a subscriber receives."""
