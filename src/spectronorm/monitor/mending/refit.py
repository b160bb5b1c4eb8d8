"""Saved pipelines follow an update: their normalizer is fitted again, to the updated profile."""

from __future__ import annotations

from spectronorm.errors import ArgumentError
from spectronorm.normalize import FittedNormalizer, Unchanged
from spectronorm.pipeline import Pipeline
from spectronorm.profile import Profile
from spectronorm.suggestion import known_keywords


@known_keywords
def refit(pipeline: Pipeline, before: Profile, after: Profile) -> Pipeline:
    """Fit a pipeline's normalizer to an updated profile, as it was fitted to the profile before the update.

    Args:
        pipeline: A pipeline whose normalizer was fitted to `before`, or to the cells of it above the floor.
        before: The profile before the update, without what the normalizer's profile had left out.
        after: The updated profile.

    Raises:
        FrontEndMismatch: if the profiles belong to another front end.
        ArgumentError: if the normalizer has no statistics of a data set, or was fitted to another profile.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import measure_new, update
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> pipeline = sn.Pipeline(profile.front_end, sn.Standardize(per="band").fit(profile))
    >>> new = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, measure_new(new, profile), weight=1.0, force=True)
    >>> again = refit(pipeline, profile, moved.profile)
    >>> float((again.normalizer.affine.shift - pipeline.normalizer.affine.shift).mean().round(1))
    -6.0
    """
    fitted = pipeline.normalizer
    pipeline.front_end.require_same(before.front_end, "the profile")
    if fitted.affine is None or not fitted.normalizer.needs_data or isinstance(fitted.normalizer, Unchanged):
        raise ArgumentError(f"{fitted.normalizer} has no statistics of a data set, so an update cannot change them")
    floorless = "floor" in fitted.fitted_on.left_out

    def fit(profile: Profile) -> FittedNormalizer:
        return fitted.normalizer.fit(profile.excluding_floor() if floorless else profile)

    if fit(before).affine != fitted.affine:
        raise ArgumentError(
            "the pipeline's normalizer was not fitted to this profile; give the profile that it was fitted to, and "
            "hold out what was held out then"
        )
    return Pipeline(pipeline.front_end, fit(after))
