"""A fit where nothing may be written, nobody is at home and no network is there: the profile of any other place.

Each run has namespaces of its own, so that nothing of the machine changes, and writes to a stream that was opened
before. It is skipped where none can be made. NumPy does the work of the kernels, with the same bits, but where the
large counts of `make attacks` are asked for: a kernel that cannot be kept is compiled anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.command_output import messages

import spectronorm as sn

if os.name != "posix":
    pytest.skip("namespaces are Linux's", allow_module_level=True)
LARGE = int(os.environ.get("SPECTRONORM_MUTATIONS", "0")) >= 100_000
READ_ONLY = "mount --make-rprivate / && mount -o remount,bind,ro / && ! touch {here} 2>/dev/null"
HOMELESS = "env -u HOME -u XDG_CACHE_HOME -u XDG_CONFIG_HOME"
PLACES = {
    "read-only, without HOME": f"unshare -m sh -c '{READ_ONLY} && exec {HOMELESS} {{run}}'",
    "a user without name and home": "unshare -U --map-user=12345 env HOME=/nonexistent {run}",
    "no network": "unshare -n {run}",
    "all at once": f"unshare -m -n sh -c '{READ_ONLY} && exec unshare -U --map-user=12345 {HOMELESS} {{run}}'",
}


def there(place: str, run: str, world: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """A command in a place; its stdout goes into a file that was opened outside."""
    line = PLACES[place].format(here=world / "touched", run=run)
    jit = {} if LARGE else {"NUMBA_DISABLE_JIT": "1"}
    with output.open("wb") as file:
        return subprocess.run(
            ["bash", "-c", line],  # noqa: S607
            cwd=world,
            env={**os.environ, **jit},
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("untrusted", [False, True])
def test_a_place_without_rights_gives_the_profile_of_any_other(
    place: str, untrusted: bool, world: Path, tmp_path: Path
) -> None:
    """No traceback and at most notes; confined decoders work there too."""
    if there(place, "true", world, tmp_path / "nothing").returncode:
        pytest.skip("no such place can be made here")
    how = "--untrusted" if untrusted else "--workers 2"
    run = f"{sys.executable} -m spectronorm fit src -o /dev/stdout --sample-rate 8000 --n-fft 256 --n-mels 20 {how}"
    done = there(place, run, world, tmp_path / "o.st")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert all("note" in line or "clips" in line for line in messages(done.stderr)), done.stderr
    assert sn.Profile.load(tmp_path / "o.st") == sn.Profile.load(world / "p.st")
