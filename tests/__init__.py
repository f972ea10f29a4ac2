"""The tests, one folder a room of the house. What all rooms share stands in `tests.conftest`."""
