"""``partnerauth serve``: what it says, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from command import COMMAND, Served, environment, partnerauth, running
from conftest import AUTH_CLASSES

PARTNERS = sorted(AUTH_CLASSES)


def test_what_serve_says(served: Served) -> None:
    """One line of JSON gives every partner's base URL and the credentials that its auth takes."""
    assert sorted(served) == PARTNERS
    for name, entry in served.items():
        assert sorted(entry) == ["base_url", "credentials"]
        token = AUTH_CLASSES[name](base_url=entry["base_url"], **entry["credentials"]).token()
        assert token.value


def test_interrupted_serve() -> None:
    """Ctrl-C ends serve with 0, without a traceback."""
    with running("serve") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (err, process.returncode) == (b"", 0)


def test_port_in_use(served: Served) -> None:
    """A port that is taken is told in one line."""
    port = served["bex"]["base_url"].split(":")[2].split("/")[0]
    done = partnerauth("serve", "--port", port)
    assert done.stderr == f"partnerauth: port {port} can't be used: Address already in use\n"
    assert (done.stdout, done.returncode) == ("", 2)


def test_serve_for_people(tmp_path: Path) -> None:
    """What serve prints for people is a shell script after which check finds every partner."""
    script = tmp_path / "settings.sh"
    with script.open("wb") as written, running("serve", stdout=written):
        limit = time.monotonic() + 30
        while "RP_GATEWAY_BASE_URL" not in script.read_text():
            assert time.monotonic() < limit
            time.sleep(0.02)
        checks = " && ".join(f'"$@" check {partner}' for partner in PARTNERS)
        done = subprocess.run(
            ["sh", "-c", f'. "$0" && {checks}', str(script), *COMMAND],
            env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": logged in\n") == len(PARTNERS)
