"""The list itself: long enough, without repetition, and all of it in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security import attacks
from tests.security.attacks import ATTACKS, Kind

ROOM = Path(__file__).parent


def test_there_are_at_least_a_hundred_and_fifty_inputs_and_no_two_are_the_same() -> None:
    assert len({(attack.kind, attack.text) for attack in ATTACKS}) == len(ATTACKS) >= 150
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_each_kind_is_tried_by_a_test(kind: Kind) -> None:
    (name,) = [
        name
        for name, value in vars(attacks).items()
        if name != "ATTACKS"
        and isinstance(value, tuple)
        and value
        and getattr(value[0], "kind", None) is kind
    ]
    tests = [path.read_text(encoding="utf-8") for path in ROOM.glob("test_*.py") if path != Path(__file__)]
    assert any(f'@pytest.mark.parametrize("attack", {name}' in text for text in tests) or (
        kind in {attack.kind for attack in _stored()}
    )


def _stored() -> list[attacks.Attack]:
    from tests.security.hostile import STORED

    return list(STORED.values())
