"""Records the commands whose output these pages show: ``python docs/record.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from requests_partnerauth.simulator import PartnerSimulator

FOLDER = Path(__file__).parent / "recordings"


def recordings() -> dict[str, str]:
    """What a terminal shows, by the name of the recording."""
    with PartnerSimulator() as simulator:
        partner = simulator.fiserv_partner
        good = {
            f"PARTNERAUTH_FISERV_PARTNER_{name.upper()}": text
            for name, text in partner.credentials.items()
        }
        wrong = {**good, "PARTNERAUTH_FISERV_PARTNER_PASSWORD": "wrong"}
        port = partner.base_url.split(":")[2].partition("/")[0]
        shown = {
            "check": _shown("check fiserv-partner", good),
            "check-refused": _shown("check fiserv-partner", wrong),
            "demo": _shown("demo", {}),
        }
    return {name: text.replace(f":{port}", ":8765") for name, text in shown.items()}


def _shown(arguments: str, settings: Mapping[str, str]) -> str:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PARTNERAUTH_")
    }
    run = subprocess.run(
        [sys.executable, "-m", "requests_partnerauth", *arguments.split()],
        env={**kept, **settings, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return f"$ partnerauth {arguments}\n{run.stdout}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in recordings().items():
        (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
