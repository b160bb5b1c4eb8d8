"""Installs the example plug-in beside spectronorm into a fresh environment, and runs its tests there.

The packages of the running environment are seen through a `.pth` file, so that nothing is downloaded but what builds
the two wheels.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "examples" / "plugin"


def main() -> int:
    """The exit status of the plug-in's tests."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "env")], check=True)
        python = home / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        site = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
        for project in (ROOT, PLUGIN):
            install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(project)]
            subprocess.run([sys.executable, *install], check=True)
        (site / "zz_packages.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(PLUGIN), str(PLUGIN / "tests")]
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder}
        return subprocess.run([str(python), *tests], cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
