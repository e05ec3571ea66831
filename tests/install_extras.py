"""Installs the wheel, bare and with each extra, into an empty environment, and uses it; tests the sdist.

python tests/install_extras.py FOLDER_WITH_WHEEL_AND_SDIST FOLDER_FOR_ENVIRONMENTS
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

USES = {
    "": "from requests_partnerauth import BexAuth; print(BexAuth('user123', 'made-up'))",
    "file": "from requests_partnerauth import FileTokenCache; FileTokenCache()",
    "redis": "from requests_partnerauth import RedisTokenCache; RedisTokenCache.from_url('redis://127.0.0.1')",
    "keyring": "from requests_partnerauth import KeyringTokenCache; KeyringTokenCache()",
    "httpie": "import requests_partnerauth.httpie",
    "testing": "import requests_partnerauth.testing",
}


# Some of each kind: over sockets, with files, with the pages that the sdist brings.
SDIST_TESTS = ("tests/test_bex.py", "tests/test_file_cache.py", "tests/test_docs_facts.py")


def environment_in(folder: Path, wanted: str) -> Path:
    """Makes an empty environment, installs what is wanted and gives its python."""
    venv.create(folder, clear=True, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)
    return python


def read_metadata(dist: Path) -> str:
    """Looks for links that would lead nowhere from where the wheel's description is shown."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
    if inside := re.findall(r"\]\((?![a-z]+:|#)[^)\s]+\)", text):
        raise SystemExit(f"links inside the project: {inside}")
    return "links of the description: good"


def use_wheel(dist: Path, environments: Path, extra: str) -> str:
    """Installs the wheel with one extra, and uses it."""
    (wheel,) = dist.glob("*.whl")
    python = environment_in(environments / (extra or "bare"), f"{wheel}[{extra}]" if extra else str(wheel))
    subprocess.run([python, "-W", "error", "-c", USES[extra]], check=True, cwd=environments)
    return f"{extra or 'no extra'}: good"


def use_sdist(dist: Path, environments: Path) -> str:
    """Unpacks the sdist, installs it with what its tests need, and runs some of them there."""
    (sdist,) = dist.glob("*.tar.gz")
    shutil.unpack_archive(sdist, environments / "sdist", filter="data")
    (source,) = (environments / "sdist").iterdir()
    python = environment_in(environments / "dev", f"{source}[dev]")
    subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SDIST_TESTS], check=True, cwd=source
    )
    return "tests of the sdist: good"


def main(dist: Path, environments: Path) -> None:
    """Raises `subprocess.CalledProcessError` where an extra or the sdist does not do."""
    shutil.rmtree(environments, ignore_errors=True)
    environments.mkdir(parents=True)
    with ThreadPoolExecutor(max_workers=4) as pool:
        tried = [pool.submit(use_sdist, dist, environments), pool.submit(read_metadata, dist)]
        tried += [pool.submit(use_wheel, dist, environments, extra) for extra in USES]
        for one in as_completed(tried):
            print(one.result())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
