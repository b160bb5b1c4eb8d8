"""Clips of the sample manifests as their origins read them; the output is tests/samples/manifests/origins.json.

python -m tests.manifest_origins > tests/samples/manifests/origins.json

in an environment with lhotse 1.33, kaldi_native_io 1.23 and webdataset 1.0. Each clip: samples, the sum of their
squares (of the mean of channels), and columns of the origin.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.manifest_layout import lay_out


def clip(samples: Any, **told: Any) -> dict[str, Any]:
    """One clip; samples are `(channel, sample)`."""
    mono = np.asarray(samples, np.float64).mean(axis=0)
    return {"samples": len(mono), "energy": round(float((mono**2).sum()), 3), **told}


def lhotse_clips() -> dict[str, Any]:
    """Cuts, recordings and a Shar folder, in the folder of lhotse's samples."""
    from lhotse import CutSet, RecordingSet

    def of_cut(cut: Any) -> dict[str, Any]:
        speaker = cut.supervisions[0].speaker if cut.supervisions else None
        label = (cut.custom or {}).get("label")
        return clip(cut.load_audio(), speaker=speaker, label=label, recording=cut.recording.id)

    return {
        "lhotse/lhotse_cuts.jsonl.gz": {c.id: of_cut(c) for c in CutSet.from_jsonl_lazy("lhotse_cuts.jsonl.gz")},
        "lhotse/lhotse_recordings.jsonl.gz": {
            r.id: clip(r.load_audio()) for r in RecordingSet.from_jsonl_lazy("lhotse_recordings.jsonl.gz")
        },
        "shar": {c.id: of_cut(c) for c in CutSet.from_shar(in_dir="../shar")},
    }


def kaldi_clips() -> dict[str, Any]:
    """The waves of wav.scp (without the command, which it would run, and FLAC, which it cannot read), and speakers."""
    import kaldi_native_io as kaldi

    lines = Path("wav.scp").read_text().splitlines()
    Path("files.scp").write_text("\n".join(line for line in lines if line.endswith(".wav")) + "\n")
    with kaldi.SequentialWaveReader("scp:files.scp") as reader:
        waves = {key: wave.data.numpy() / 32768 for key, wave in reader if key == "rec1"}
    cut = {}
    for line in Path("segments").read_text().splitlines():
        name, recording, start, end = line.split()
        if recording in waves:  # as extract-segments of Kaldi does
            first, stop = round(float(start) * 16000), round(float(end) * 16000)
            cut[name] = clip(waves[recording][:, first:stop], recording=recording)
    return {"kaldi": cut}


def webdataset_clips() -> dict[str, Any]:
    """The samples of the shard."""
    import webdataset

    shard = webdataset.WebDataset("webdataset-000000.tar", shardshuffle=False, empty_check=False)
    found = {one["__key__"]: {"cls": one["cls"], **one["json"]} for one in shard.decode()}
    return {"webdataset/webdataset-000000.tar": found}


def main() -> None:
    """Write the JSON to the standard output."""
    with tempfile.TemporaryDirectory() as folder:
        root, found = lay_out(Path(folder)), {}
        for kind, read in (("lhotse", lhotse_clips), ("kaldi", kaldi_clips), ("webdataset", webdataset_clips)):
            os.chdir(root / kind)
            found.update(read())
        os.chdir("/")
    json.dump(found, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
