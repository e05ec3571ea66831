"""Installs each service into an environment of its own, for what they pin agrees with nothing else.

python tests/services/install.py FOLDER_FOR_ENVIRONMENTS
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main(environments: Path) -> None:
    """Raises `subprocess.CalledProcessError` where a service can't be installed."""

    def install(wanted: Path) -> str:
        started = time.monotonic()
        folder = environments / wanted.stem
        venv.create(folder, with_pip=True)
        python = folder / "bin" / "python"
        # Not compiled: of some hundred packages a service imports a part.
        pip = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-compile"]
        subprocess.run([*pip, "--requirement", wanted], check=True)
        return f"{wanted.stem}: {time.monotonic() - started:.0f} s"

    with ThreadPoolExecutor() as pool:
        for said in pool.map(install, sorted(Path(__file__).parent.glob("*.txt"))):
            print(said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
