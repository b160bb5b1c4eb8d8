"""Leaks between two sides of a split: clips to be unseen that hold the sound of a training clip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Openable, Reader, Source, open_source
from spectronorm.audio.native import with_native_blocks
from spectronorm.cleaning.fingerprint import Fingerprint, FingerprintSums
from spectronorm.cleaning.limits import InspectionLimits
from spectronorm.cleaning.near_copies import NearCopies, candidate_pairs, compare_pairs
from spectronorm.cleaning.word_index import shared_words
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.passes.one_pass import OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress
from spectronorm.suggestion import known_keywords


@dataclass(frozen=True)
class _Fingerprinted(OneClip):
    clip: ClipReference
    fingerprint: Fingerprint | None
    seconds: float
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Task:
    """Computes the fingerprint of a clip; picklable."""

    reader: Reader

    def __call__(self, clip: ClipReference) -> _Fingerprinted:
        try:
            return _Fingerprinted(clip, *with_native_blocks(self.reader, clip, _fingerprint))
        except AudioError as error:
            return _Fingerprinted(clip, None, 0.0, (BadFile.of(clip.name, error),))


@known_keywords
def near_leaks(
    unseen: Openable,
    seen: Openable,
    *,
    near_correlation: float = 0.9,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> tuple[NearCopies, ...]:
    """Find clips to be unseen that hold the sound of a training clip.

    The sound may be at another volume, time or rate, or have gone through a lossy encoder. Clips that cannot be read
    are passed over: `check` lists them.

    Args:
        unseen: Clips that no training may have heard: a test set.
        seen: The training clips.
        near_correlation: Correlation of two waveforms from which they count as one sound, 0.5 to 1.
        engine: Engine that runs the work.
        progress: Called with the number of clips done and the total number, for each side.

    Returns:
        The pairs; `first` is a training clip, `second` one to be unseen.

    Raises:
        SourceError: if a source cannot be opened or is empty.
        ArgumentError: if the correlation is out of bounds.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> envelope = np.repeat(rng.random(40), 800)
    >>> sound = (0.3 * envelope * rng.standard_normal(32_000)).astype(np.float32)
    >>> other = (0.3 * rng.standard_normal(32_000)).astype(np.float32)
    >>> (pair,) = near_leaks([{"audio": (0.5 * sound, 16_000), "name": "quiet"}], [(sound, 16_000), (other, 16_000)])
    >>> round(pair.likeness.gain_db)
    -6
    """
    limit = InspectionLimits(near_correlation=near_correlation).near_correlation
    training, test = open_source(seen), open_source(unseen)
    found = [_fingerprints(side, engine, progress) for side in (training, test)]
    heard = [one for some in found for one in some]
    count = len(found[0])
    shared = shared_words([one.fingerprint for one in heard if one.fingerprint is not None])
    crossing = (one for one in shared if one.first < count <= one.second)
    pairs = list(candidate_pairs(crossing, [one.clip for one in heard], [one.seconds for one in heard]))
    return tuple(compare_pairs(test, pairs, limit, engine))


def _fingerprints(source: Source, engine: Engine | None, progress: Progress | None) -> list[_Fingerprinted]:
    with one_pass(
        source, _Task(source.reader), source.clips, max_bad=None, engine=engine, progress=progress
    ) as results:
        heard = [one for one in results if one.fingerprint is not None]
    return sorted(heard, key=lambda one: one.clip.name)


def _fingerprint(sample_rate: int, blocks: Iterable[NDArray[np.float32]]) -> tuple[Fingerprint, float]:
    sums, count = FingerprintSums(sample_rate), 0
    for block in blocks:
        sums.add(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32))
        count += len(block)
    return sums.fingerprint(), count / sample_rate
