"""Base of all contracts: one subject, and tests that need neither pytest nor hypothesis."""

from __future__ import annotations

import importlib.util
import json
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.registry import Registry
from spectronorm.storage.canonical_json import canonical_json

RATE = 16_000


class Contract:
    """Tests that hold for every class in one registry.

    A test module of a plug-in needs one line, and pytest finds the tests:
    `class TestMine(SomeContract, subject=Mine()): ...`. Without pytest, `SomeContract.check(Mine())` runs them and
    raises `AssertionError` at the first failure.

    >>> import spectronorm as sn
    >>> from spectronorm.testing import NormalizerContract
    >>> NormalizerContract.check(sn.Standardize(per="band"))
    """

    subject: ClassVar[Any] = None

    def __init_subclass__(cls, subject: Any = None, **options: Any) -> None:
        super().__init_subclass__()
        if subject is not None:
            cls.subject = subject
        for name, value in options.items():
            setattr(cls, name, value)

    @classmethod
    def check(cls, subject: Any, **options: Any) -> None:
        """Run every test of the contract on one subject."""
        contract: Any = type(cls.__name__, (cls,), {"subject": subject, **options})()
        for name in sorted(name for name in dir(contract) if name.startswith("test_")):
            getattr(contract, name)()


def require(held: object, rule: str) -> None:
    """Raise `AssertionError` with the violated rule, unless the rule held."""
    if not held:
        raise AssertionError(rule)


def require_saved(registry: Registry[Any], subject: Any) -> None:
    """Raise unless the subject is registered, and JSON restores an equal value with an equal hash."""
    plain = json.loads(canonical_json(registry.to_plain(subject)))
    again = registry.from_plain(plain)
    require(again == subject, f"{subject!r} comes back from its JSON as {again!r}; settings must be plain values")
    require(hash(again) == hash(subject), f"{subject!r} must have a hash: it is a key of caches")


def waves(seconds: float = 1.0) -> NDArray[np.float64]:
    """Return three clips `(3, sample)` in [-1, 1]: noise, a quiet tone with a pause of digital silence, and silence."""
    count = int(seconds * RATE)
    time = np.arange(count) / RATE
    noise = 0.1 * np.random.default_rng(0).standard_normal(count)
    tone = 0.01 * np.sin(2 * np.pi * 440.0 * time)
    tone[count // 3 : count // 2] = 0.0
    return np.clip(np.stack([noise, tone, np.zeros(count)]), -1.0, 1.0)


def has_torch() -> bool:
    """Return true if torch can be imported, so that tests which need it can run."""
    return importlib.util.find_spec("torch") is not None
