"""Other libraries' own test suites have a tox environment of their own."""

import os

collect_ignore = [] if "PARTNERAUTH_SUITES" in os.environ else ["test_requests_suite.py"]
