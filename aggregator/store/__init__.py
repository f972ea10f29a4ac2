"""The only SQL. One file a noun; each function takes a session and says what it promises.

Callers hand `Database.read` and `Database.write` a function of a session.
"""
