"""Where a token goes in a request, and how it is taken out again. Knows requests, nothing of partners.

Imports none of the kinds: each is imported where it is used.
"""
