"""Installs the wheel, bare and with each extra, into an empty environment, and uses what it brings.

python tests/install_extras.py FOLDER_WITH_THE_WHEEL FOLDER_FOR_ENVIRONMENTS
"""

from __future__ import annotations

import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

USES = {
    "": "from requests_partnerauth import BexAuth; print(BexAuth('user123', 'made-up'))",
    "file": "from requests_partnerauth import FileTokenCache; FileTokenCache()",
    "redis": "from requests_partnerauth import RedisTokenCache; RedisTokenCache.from_url('redis://127.0.0.1')",
    "keyring": "from requests_partnerauth import KeyringTokenCache; KeyringTokenCache()",
    "httpie": "import requests_partnerauth.httpie",
    "testing": "import requests_partnerauth.testing",
}


def main(dist: Path, environments: Path) -> None:
    """Raises `subprocess.CalledProcessError` where an extra does not do."""
    (wheel,) = dist.glob("*.whl")

    def install(extra: str) -> str:
        folder = environments / (extra or "bare")
        venv.create(folder, clear=True, with_pip=True)
        python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        wanted = f"{wheel}[{extra}]" if extra else str(wheel)
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)
        subprocess.run([python, "-W", "error", "-c", USES[extra]], check=True, cwd=environments)
        return f"{extra or 'no extra'}: good"

    with ThreadPoolExecutor(max_workers=4) as pool:
        for said in pool.map(install, USES):
            print(said)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
