"""What readers, subscribers and partners get over HTTP."""
