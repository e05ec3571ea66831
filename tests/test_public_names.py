"""The public names: each is there when it is first used, and the package knows its version."""

from __future__ import annotations

from importlib.metadata import version

import pytest

import requests_partnerauth


@pytest.mark.parametrize("name", requests_partnerauth.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """By attribute and by `dir`; what is written in no place is an AttributeError."""
    assert getattr(requests_partnerauth, name) is not None
    assert name in dir(requests_partnerauth)


def test_the_version_is_that_of_the_distribution() -> None:
    """`__version__` is what the installer knows, not a second copy of it."""
    assert requests_partnerauth.__version__ == version("requests-partnerauth")


def test_any_other_name_is_none() -> None:
    """A typing error is told as one."""
    with pytest.raises(AttributeError, match="no attribute 'CokiePlacement'"):
        requests_partnerauth.CokiePlacement  # noqa: B018
