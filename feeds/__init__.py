"""Feeds in the wild: reading, cleaning, fetching and writing them.

A library without database, settings or clock. Its four calls are `feeds.read.parse`,
`feeds.write.render`, `feeds.http.fetch` and the values of `feeds.model`.
"""
