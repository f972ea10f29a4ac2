"""The store on SQLite and on a real PostgreSQL: the same tests on both."""
