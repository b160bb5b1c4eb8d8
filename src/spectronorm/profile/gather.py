"""Bytes between the ranks of a `torch.distributed` run, without pickle, and the clips that a sampler repeated."""

from __future__ import annotations

import json
import sys
from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any

import numpy as np

from spectronorm.errors import ArgumentError, MissingExtra
from spectronorm.storage import canonical_json


class Ranks:
    """The ranks of a process group; raises `ArgumentError` when there is none."""

    def __init__(self, group: Any = None) -> None:
        try:
            import torch
            from torch import distributed
        except (ImportError, OSError):
            raise MissingExtra("Gathering the ranks of a distributed run", "torch") from None
        if not (distributed.is_available() and distributed.is_initialized()):
            raise ArgumentError("there is no process group: call torch.distributed.init_process_group first")
        self._torch, self._distributed, self._group = torch, distributed, group
        self.count = distributed.get_world_size(group)
        self.own = distributed.get_rank(group)
        on_gpu = distributed.get_backend(group) == "nccl"
        self._device = torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")

    def exchange(self, data: bytes) -> list[bytes]:
        """The bytes of every rank, in the order of the ranks: their lengths first, then the bytes, padded."""
        torch, count = self._torch, self.count
        size = torch.tensor([len(data)], dtype=torch.int64, device=self._device)
        sizes = [torch.zeros_like(size) for _ in range(count)]
        self._distributed.all_gather(sizes, size, group=self._group)
        longest = max(1, *(int(one) for one in sizes))
        own = torch.zeros(longest, dtype=torch.uint8, device=self._device)
        if data:
            own[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8).to(self._device)
        found = [torch.empty_like(own) for _ in range(count)]
        self._distributed.all_gather(found, own, group=self._group)
        return [one.cpu().numpy()[: int(n)].tobytes() for one, n in zip(found, sizes, strict=True)]


def repeats(ranks: Ranks, counted: Sequence[Any], newest: Sequence[bytes], clips: int) -> set[int]:
    """Select the clips of this rank's newest batch that repeat others: over all ranks, the surplus beyond `clips`.

    Args:
        ranks: The ranks.
        counted: Digests of this rank's other clips.
        newest: Digests of its newest batch.
        clips: Number of clips in the data set.

    Raises:
        ArgumentError: if there are fewer clips, or the surplus is not a repetition; raised on every rank.
    """
    texts = {"counted": [bytes(one).hex() for one in counted], "newest": [one.hex() for one in newest]}
    everyone = [json.loads(data) for data in ranks.exchange(canonical_json(texts).encode())]
    seen = Tally(digest for one in everyone for digest in (*one["counted"], *one["newest"]))
    surplus = seen.total() - clips
    if surplus < 0:
        raise ArgumentError(f"clips={clips}, but all ranks together have seen only {seen.total()}")
    # Samplers append repetitions: the last clips of the last ranks go first, so that all ranks agree.
    places = [(rank, index) for rank, one in enumerate(everyone) for index in range(len(one["newest"]))]
    dropped: set[int] = set()
    for rank, index in sorted(places, key=lambda place: (place[1], place[0]), reverse=True):
        digest = everyone[rank]["newest"][index]
        if surplus and seen[digest] > 1:
            seen[digest] -= 1
            surplus -= 1
            if rank == ranks.own:
                dropped.add(index)
    if surplus:
        raise ArgumentError(
            f"all ranks together have seen {surplus} clip{'s' if surplus > 1 else ''} more than clips={clips}, which "
            "repeat none: gather after each epoch, with the size of the data set"
        )
    return dropped


def as_tensor(data: bytes) -> Any:
    """Bytes as a uint8 array: a torch tensor where torch was imported, else NumPy's."""
    torch = sys.modules.get("torch")
    array = np.frombuffer(data, dtype=np.uint8).copy()
    return array if torch is None else torch.from_numpy(array)
