"""Judges of the feeds that we publish, none of them written here.

The grammar of RFC 4287 is `atom.rng`. The W3C feed validator is asked where FEEDVALIDATOR names a
checkout of it (github: w3c/feedvalidator) and FEEDVALIDATOR_PYTHON, if given, an interpreter that
has lxml, html5lib and rdflib.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

RUN_W3C = """
import io, json, sys, urllib.request, urllib.error
sys.path.insert(0, sys.argv[1] + "/src")
import feedvalidator
from feedvalidator import compatibility
body = io.BytesIO(sys.stdin.buffer.read())
found = feedvalidator.validateStream(body, contentType=sys.argv[3], base=sys.argv[2])
print(json.dumps([[type(e).__name__, {k: str(v) for k, v in e.params.items()}]
                  for e in compatibility.AAA(found["loggedEvents"])]))
"""


def has_w3c() -> bool:
    """Whether the W3C validator can be asked."""
    return bool(os.environ.get("FEEDVALIDATOR"))


def w3c(body: bytes, *, at: str, kind: str = "application/atom+xml") -> Counter[str]:
    """What the W3C validator finds in a feed that stands at an address: errors, warnings and hints by type."""
    checkout = os.environ.get("FEEDVALIDATOR")
    if not checkout:
        pytest.skip("FEEDVALIDATOR names no checkout of the W3C feed validator")
    python = os.environ.get("FEEDVALIDATOR_PYTHON", sys.executable)
    command = [python, "-c", RUN_W3C, checkout, at, kind]
    # The command is ours; only where the validator lies comes from the environment.
    done = subprocess.run(command, input=body, stdout=subprocess.PIPE, check=True, timeout=120)  # noqa: S603
    return Counter(f"{kind}" for kind, _ in json.loads(done.stdout))
