"""What setup.cfg cannot say: the README as PyPI shows it, with links that lead somewhere from there too."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def readme() -> str:
    """README.md, each link into the project made one to this version's source."""
    config = ConfigParser()
    config.read(HERE / "setup.cfg", encoding="utf-8")
    metadata = config["metadata"]
    urls = dict(line.split(" = ") for line in metadata["project_urls"].strip().splitlines())
    files = f"{urls['Source']}/blob/v{metadata['version']}/"
    text = (HERE / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?![a-z]+:|#)(?=[^)\s]+\))", f"]({files}", text)


setup(long_description=readme(), long_description_content_type="text/markdown")
