"""How Sphinx builds these pages: ``sphinx-build -W -b html docs site``."""

import tempfile
import zlib
from importlib.metadata import version as installed_version
from pathlib import Path

project = "requests_partnerauth"
author = "The requests_partnerauth developers"
project_copyright = author
version = release = installed_version("requests-partnerauth")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_parser",
    "sphinx_copybutton",
]
exclude_patterns = ["recordings"]

# Docstrings name things in single backticks.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# What these pages name of requests, and where it is defined there; a build needs no
# network.
OF_REQUESTS = {
    "class": {
        "models": ["PreparedRequest", "Request", "Response"],
        "sessions": ["Session"],
    },
    "exception": {"exceptions": ["ConnectionError", "RequestException", "Timeout"]},
}


def inventory_of_requests() -> str:
    """The path of an inventory, as Sphinx writes and reads them."""
    lines = [
        f"requests.{place}{name} py:{kind} 1 api/#requests.{name} -\n"
        for kind, modules in OF_REQUESTS.items()
        for module, names in modules.items()
        for name in names
        for place in ("", f"{module}.")
    ]
    head = "# Sphinx inventory version 2\n# Project: requests\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    path = Path(tempfile.mkdtemp(), "objects.inv")
    path.write_bytes(head.encode() + zlib.compress("".join(lines).encode()))
    return str(path)


_REQUESTS = "https://requests.readthedocs.io/en/latest/"
intersphinx_mapping = {"requests": (_REQUESTS, inventory_of_requests())}

# A recorded block is copied as its commands, without prompts and output.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"{project} {release}"
html_short_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b57a4",
        "color-brand-content": "#0b57a4",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7db7f0",
        "color-brand-content": "#7db7f0",
    },
}
