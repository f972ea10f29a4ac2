"""What the service answers on HTTP. Templates hold no decisions."""
