"""What the desk decides, as plain functions: no input, no output, no clock of their own."""
