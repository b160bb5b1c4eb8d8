"""Normalized clips in shards: each is one task and written completely, in the order of names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spectronorm.audio import ClipReference, Reader, Source, stamp
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.features import stamp_of_level
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.long_spectrogram import LongSpectrogram
from spectronorm.passes.outputs import output_names
from spectronorm.passes.stores import SHARDS, Entry, HeldArray, Store, StoredArray
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import key_of
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.field_values import text, whole


@dataclass(frozen=True)
class Shard:
    """Clips, each with its name in the shard, and the shard's file."""

    output: str
    clips: tuple[tuple[ClipReference, str], ...]


@dataclass(frozen=True)
class WrittenShard:
    """Result of a shard: frames of each good clip by name, bad clips, and identities of inputs and shard."""

    shard: Shard
    frames: dict[str, int]
    bad: tuple[BadFile, ...]
    stamps: tuple[bytes, ...]
    digest: bytes

    @property
    def clips(self) -> int:
        """The number of clips in it."""
        return len(self.shard.clips)


def shards_of(source: Source, store: Store) -> list[Shard]:
    """Divide the source's clips, in the order of their names, into shards of this number of clips."""
    names = sorted((name, clip) for clip, name in output_names(source, ""))
    if store.to == "webdataset":  # whose keys end at the first dot
        names = [(name.replace(".", "_"), clip) for name, clip in names]
        if len({name for name, _ in names}) < len(names):
            raise ArgumentError("two clips would have one key, which ends at the first dot; rename one of them")
    size, suffix = store.shard_clips, SHARDS[store.to].suffix
    return [
        Shard(f"shard-{start // size:05d}{suffix}", tuple((clip, name) for name, clip in names[start : start + size]))
        for start in range(0, len(names), size)
    ]


@dataclass(frozen=True)
class ShardTask:
    """Writes one shard; picklable, so that any engine can run it."""

    pipeline: Pipeline
    folder: Path
    duration: float | None
    reader: Reader
    store: Store

    def __call__(self, shard: Shard) -> WrittenShard:
        """Read, normalize and write every clip of the shard; one without a good clip is not written."""
        frames: dict[str, int] = {}
        bad: list[BadFile] = []
        stamps: list[bytes] = []
        entries = self._entries(shard, frames, bad, stamps)
        path = self.folder / shard.output
        first = next(entries, None)
        if first is None:
            path.unlink(missing_ok=True)
            return WrittenShard(shard, frames, tuple(bad), tuple(stamps), b"")
        with atomic_write(path, None) as file:
            SHARDS[self.store.to].write(file, _chained(first, entries))
        return WrittenShard(shard, frames, tuple(bad), tuple(stamps), _digest(path))

    def _entries(
        self, shard: Shard, frames: dict[str, int], bad: list[BadFile], stamps: list[bytes]
    ) -> Iterator[Entry]:
        for clip, name in shard.clips:
            with ExitStack() as waiting:
                read, found = self._array(clip, waiting)
                stamps.append(read)
                if isinstance(found, AudioError):
                    bad.append(BadFile.of(clip.name, found))
                    continue
                array, count = found
                frames[name] = count
                yield Entry(name, array, self.store.dtype, count, clip.columns)

    def _array(self, clip: ClipReference, waiting: ExitStack) -> tuple[bytes, tuple[StoredArray, int] | AudioError]:
        """The stamp of a clip, and its array with the number of frames without padding, or the error that it has none.

        The array of a long clip is read from a file that `waiting` closes.
        """
        long = self._long.spooled(clip, self.folder, waiting)
        if long is not None:
            return long.stamp, long.result
        front_end = self.pipeline.front_end
        read, found = read_clip_level(clip, front_end, self.reader, duration=self.duration, with_stamp=True)
        if isinstance(found, AudioError):
            return read, found
        level = found.shaped(front_end)
        try:
            array = self.store.made(self.pipeline.normalizer.padded(level, found.frames))
        except AudioError as error:
            return read, error
        return read, (HeldArray(array), level.shape[-1])

    @cached_property
    def _long(self) -> LongSpectrogram:
        return LongSpectrogram(self.pipeline, self.reader, self.store, self.duration)

    def key(self, shard: Shard) -> bytes:
        """By the names of the shard and its clips."""
        return key_of([shard.output, [name for _, name in shard.clips]])

    def pack(self, result: WrittenShard) -> bytes:
        """One JSON object."""
        plain = {
            "stamps": [one.hex() for one in result.stamps],
            "digest": result.digest.hex(),
            "frames": result.frames,
            "bad": plain_files(result.bad),
        }
        return canonical_json(plain).encode()

    def unpack(self, shard: Shard, payload: bytes) -> WrittenShard | None:
        """The result again, if every clip's content and the shard's file are what they were."""
        plain: Any = json.loads(payload)
        stamps = tuple(bytes.fromhex(text) for text in plain["stamps"])
        digest = bytes.fromhex(plain["digest"])
        if stamps != tuple(stamp_of_level(clip, self.reader) for clip, _ in shard.clips):
            return None
        if digest and _digest(self.folder / shard.output) != digest:
            return None
        return WrittenShard(
            shard,
            {text(name): whole(frames) for name, frames in plain["frames"].items()},
            parse_files(plain["bad"]),
            stamps,
            digest,
        )


def _chained(first: Entry, rest: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from rest


def _digest(path: Path) -> bytes:
    return stamp(ClipReference(path.name, path))


def index_rows(written: Sequence[WrittenShard], store: Store) -> Iterator[tuple[str, ClipReference, int]]:
    """The rows of the index: the name of each array in its shard, its clip, and its frames without padding."""
    suffix = SHARDS[store.to].entry_suffix
    for one in sorted(written, key=lambda one: one.shard.output):
        for clip, name in one.shard.clips:
            if name in one.frames:
                yield f"{one.shard.output}/{name}{suffix}", clip, one.frames[name]
