"""What `benchmarks/polling.py` starts of the peer: `reader`, following the same feeds.

python benchmarks/polling_reader.py DATABASE follow URLS        # a file, one address a line
python benchmarks/polling_reader.py DATABASE poll WORKERS
python benchmarks/polling_reader.py DATABASE poll-and-index WORKERS
"""

from __future__ import annotations

import sys
from pathlib import Path

from reader import make_reader


def main() -> None:
    """Do one step."""
    database, step, word = sys.argv[1:]
    reader = make_reader(database)
    if step == "follow":
        for url in Path(word).read_text().split():
            reader.add_feed(url)
        return
    if step == "poll-and-index":
        reader.enable_search()
    reader.update_feeds(scheduled=False, workers=int(word))
    if step == "poll-and-index":
        reader.update_search()


if __name__ == "__main__":
    main()
