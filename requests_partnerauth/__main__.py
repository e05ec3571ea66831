"""``python -m requests_partnerauth`` does what ``partnerauth`` does."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
