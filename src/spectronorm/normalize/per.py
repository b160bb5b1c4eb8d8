"""Scope of statistics: all bands pooled, or each band."""

from __future__ import annotations

from spectronorm.errors import ArgumentError
from spectronorm.profile import Profile, Statistics

SCOPES = ("global", "band")


def check_scope(per: str) -> None:
    """Raise `ArgumentError` unless `per` is a known scope."""
    if per not in SCOPES:
        raise ArgumentError(f"per={per!r} must be one of {', '.join(SCOPES)}")


def scoped(profile: Profile, per: str) -> Statistics:
    """Return the profile's statistics of each band, or of all bands pooled."""
    return profile.overall if per == "global" else profile.band
