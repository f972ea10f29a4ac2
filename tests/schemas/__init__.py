"""Holds a JSON document to the schema of its format, and to the published one where there is a copy."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource

from feeds.model import Document

HERE = Path(__file__).parent
PUBLISHED = {"jsonfeed": "feed.json", "ninjs": "ninjs-schema_3.1.json"}


def checked(document: Document, schema: Literal["jsonfeed", "ninjs"]) -> Any:
    """What the document says, once the schemas have found nothing wrong with it.

    PUBLISHED_SCHEMAS names the folder of the published ones (README.md); nothing is fetched.

    Raises:
        jsonschema.ValidationError: the document breaks one of them.
    """
    value = json.loads(document.body)
    _validator(HERE / f"{schema}.json").validate(value)
    if folder := os.environ.get("PUBLISHED_SCHEMAS"):
        _validator(Path(folder) / PUBLISHED[schema]).validate(value)
    return value


@cache
def _validator(path: Path) -> Validator:
    schema = json.loads(path.read_text("utf-8"))
    registry: Registry[Any] = Registry()
    if (beside := path.with_name("feed-1.json")).exists():
        # The published schema of version 1.1 refers to that of version 1 by the address it stands at.
        found = Resource.from_contents(json.loads(beside.read_text("utf-8")))
        registry = registry.with_resource("https://json.schemastore.org/feed-1", found)
    return validator_for(schema)(schema, registry=registry)
