"""The journal and the lock: whole records or none, one run at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronorm.errors import OutputBusy
from spectronorm.runs.journal import Journal, keep_journal, key_of
from spectronorm.runs.lock import output_lock, path_beside
from spectronorm.storage.atomic import atomic_write, remove_unfinished

IDENTITY = {"command": "test", "setting": 1}
RECORDS = {key_of(index): bytes([index]) * (index * 7) for index in range(12)}


def filled(path: Path) -> None:
    """A journal with all records."""
    journal = Journal(path, IDENTITY)
    for key, payload in RECORDS.items():
        journal.put(key, payload)
    journal.close()


def found(path: Path, identity: dict[str, object] | None = None) -> dict[bytes, bytes | None]:
    """What the next run finds."""
    journal = Journal(path, identity or IDENTITY)
    records = {key: journal.get(key) for key in RECORDS if key in journal}
    journal.close()
    return records


def test_a_journal_gives_back_what_was_put(tmp_path: Path) -> None:
    """Every record, byte for byte, after closing and opening."""
    filled(tmp_path / "j")
    assert found(tmp_path / "j") == RECORDS


def test_a_journal_cut_anywhere_gives_whole_records_and_goes_on(tmp_path: Path) -> None:
    """However much of the end is missing: a prefix of the records is there, none is torn, and new ones can follow."""
    filled(tmp_path / "whole")
    whole, path = (tmp_path / "whole").read_bytes(), tmp_path / "cut"
    counts = set()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        records = found(path)
        assert list(records.items()) == list(RECORDS.items())[: len(records)]
        counts.add(len(records))
        journal = Journal(path, IDENTITY)
        journal.put(b"k" * 16, b"after")
        journal.close()
        assert found(path) == records
        again = Journal(path, IDENTITY)
        assert again.get(b"k" * 16) == b"after"
        again.close()
    assert counts == set(range(len(RECORDS)))


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_never_gives_a_wrong_record(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    """A damaged journal gives fewer records, never other ones."""
    path = tmp_path_factory.mktemp("flip") / "j"
    filled(path)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(bytes(data))
    records = found(path)
    assert list(records.items()) == list(RECORDS.items())[: len(records)]
    assert len(records) < len(RECORDS)


def test_another_identity_begins_anew(tmp_path: Path) -> None:
    """Changed settings reuse nothing."""
    filled(tmp_path / "j")
    assert found(tmp_path / "j", {**IDENTITY, "setting": 2}) == {}


def test_a_journal_goes_on_success_and_stays_on_failure(tmp_path: Path) -> None:
    """Nothing hidden is left beside a finished output."""
    output = tmp_path / "out"

    def fail() -> None:
        with keep_journal(output, IDENTITY) as journal:
            journal.put(b"k" * 16, b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [".out.journal"]
    with keep_journal(output, IDENTITY) as journal:
        assert journal.get(b"k" * 16) == b"x"
    assert list(tmp_path.iterdir()) == []


def test_the_second_run_fails_at_once_and_says_who_holds_the_output(tmp_path: Path) -> None:
    """In this process and in another one."""
    output = tmp_path / "out"
    code = (
        f"from spectronorm.runs.lock import *; from pathlib import Path\nwith output_lock(Path({str(output)!r})): pass"
    )
    with output_lock(output):
        with pytest.raises(OutputBusy, match=f"process {os.getpid()} on "), output_lock(output):
            pass
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert f"process {os.getpid()}" in other.stderr
    with output_lock(output) as left_by:
        assert left_by is None


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    """A stale lock is recognized, and says whose it was."""
    output = tmp_path / "out"
    code = (
        "from spectronorm.runs.lock import *; from pathlib import Path; import time\n"
        f"with output_lock(Path({str(output)!r})): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OutputBusy, match=f"process {holder.pid}"), output_lock(output):
            pass
        holder.send_signal(signal.SIGKILL)
    assert json.loads(path_beside(output, "lock").read_text())["process"] == holder.pid
    with output_lock(output) as left_by:
        assert left_by == holder.pid
    assert not path_beside(output, "lock").exists()


def test_temporary_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    """Of this output only; another output's may still be written."""
    writers = [atomic_write(tmp_path / name) for name in ("out", "other")]
    for writer in writers:
        writer.__enter__().write(b"half")
    assert len(list(tmp_path.glob(".spectronorm-*.part"))) == 2
    remove_unfinished(tmp_path / "out")
    assert len(list(tmp_path.glob(".spectronorm-*.part"))) == 1
    for writer in writers:
        assert not writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)  # Ctrl-C goes on upwards
    assert list(tmp_path.iterdir()) == []
