"""The words and the columns of the results page."""

from __future__ import annotations

from .cells import Cell, beyond, count, middle, pickled, ratio, seconds, shared, thread, words

Column = tuple[str, str, Cell]
Table = tuple[tuple[str, ...], list[Column]]

HEAD = """# Benchmarks

The same work through this project and the libraries people use today, on a loopback server in a process of
its own, side by side: `tox -e bench`. Each in its own documented use; what one can't do is said, not
scored. Everybody logs in at the same token endpoint; this project does so through an own `PartnerAuth` of a
few lines, and the partners' own auths are measured beside it where they cost something of their own. Ratios
are medians over the rounds of one run, everyone in random order within a round; absolute times in small
print. Counts are given from the least to the most of all rounds. There are 15 rounds at least, unless a
time limit for the cell allows only the number that is named, three at least; what is seen rather than timed
(bodies, redirects, fork) is tried three times, pickling and memory once.

![auth call, refresh ahead, import](results.svg)
"""

FLOORS = """\
What goes into the goals that are not reached, by profiles of 2026-11-30, where a request takes 0.6 ms of
processor time:

- Requests per second: the response hook takes 5 us, most of it calls from one question to the next.
- Responses up to 10 kB: read at once, none is above 1.05. Of a streamed JSON the look takes 21 us (100
  bytes) to 40 us (10 kB): 7 to 18 us for seeing bytes that stay for their reader, 7 us for headers and
  limits, 7 us for the markers in 10 kB.
- Above that: in JSON of 60 kB, near the largest that is looked into, the markers take 11 to 43 us with
  `bytes.rfind`, the fastest there is (`find` and `in` 33 to 110 us, one regular expression 350 to 440
  us). What is larger is not looked into; a cell of 10 or 100 MB has few rounds.
- Peak memory: of rp.Gateway's request there is the URL with its token and the one without. Of what was
  read ahead of a stream a reader keeps 1 kB for itself.
- First request: 19 ms of 140. Importing takes 10 ms and building the auth 3.6 ms, for 78 modules: all
  that a login needs is there before it, so that a child forked meanwhile waits for no import. The login
  has a session and a connection of its own (2 ms); the rest is the end of the process.
- Revocations: 307 of 10,000 requests were refused and sent twice (the median), which alone comes to
  0.970.
"""

_HERDS = """\
64 threads on one client, at one moment; a login takes 100 ms. Expired: the server has ended every token.
Then five more requests, one after the other. requests-oauthlib and Authlib do not log in by themselves: the
check for a first token is the user's.
"""

_REFUSALS = """\
A wrong password: how often the server saw it. Those without a login send it with every call. Then
good credentials and an endpoint that answers 401 whatever comes, 50 calls.
"""

_BODIES = """\
POST of 100 kB with a token that the server has just ended (for Digest, a nonce). "ok": the server got
the same bytes again. "401, not resent": the caller is told. "EMPTY, 200": data is lost and nobody is told.
"STUCK": announced and never sent; this server gives up after 1.5 s. Multipart: the stream of
requests-toolbelt, which can't be rewound, or the library's own.
"""

_REDIRECTS = """\
302 and 307. Whether that host sees the token, in the header Authorization and in one of the
user's own; "-": no choice of header.
"""

_AHEAD = """\
8 threads ask, each 20 ms after its last answer, while the last stretch of a token's life begins, with each
library's own margin, and a login takes 500 ms. The slowest request beyond the usual one. The fifteen lines
know no expiry and requests-oauthlib no margin: theirs comes after the end. HTTPBasicAuth has nothing to
refresh: its row shows what the machine does by itself.
"""

_REVOCATIONS = """\
The server ends every token, and a login takes no time: the one request that meets it, beyond the usual one.
Then 10,000 requests through 32 threads on one session, a revocation each 500: throughput against
HTTPBasicAuth without any, in turns.
"""

_PROCESSES = """\
4 processes, 8 threads each, 5 requests each; "sharing" is with the file cache that a library brings
(FileTokenCache, JsonTokenFileCache). Fork: while another thread logs in; the child has 5 s.
"""

_COSTS = """\
Against HTTPBasicAuth. The auth call is `auth(prepared)` or the nearest a library has, a token in hand, on
requests that were not signed before; as in timeit, no garbage is collected meanwhile. End to end: one thread,
one kept-alive connection, above 1 is faster; azure-core and httpx-auth bring their own clients. Memory:
tracemalloc, 100 objects, each with an account and a token of its own. Then the auth call in several threads
on one auth.
"""

_KINDS = ("bytes", "file", "file at an offset", "generator", "multipart")

SECTIONS: list[tuple[str, str, list[Table]]] = [
    (
        "Herds",
        _HERDS,
        [
            (
                ("cold-herd", "expiry-herd"),
                [
                    ("cold: logins", "cold-herd", count("logins")),
                    ("failed of 64", "cold-herd", count("failed")),
                    ("until all had theirs", "cold-herd", seconds),
                    ("expired: logins", "expiry-herd", count("logins")),
                    ("failed of 64", "expiry-herd", count("failed")),
                    ("of 5 more", "expiry-herd", count("failed_later")),
                ],
            ),
            (
                ("ending-herd",),
                [
                    ("expired, a login ends the old session: logins", "ending-herd", count("logins")),
                    ("failed of 64", "ending-herd", count("failed")),
                    ("of 5 more", "ending-herd", count("failed_later")),
                    ("until all had theirs", "ending-herd", seconds),
                ],
            ),
        ],
    ),
    (
        "Refusals",
        _REFUSALS,
        [
            (
                ("refused", "always-refused"),
                [
                    ("attempts by 64 threads", "refused", count("attempts")),
                    ("by 20 more calls", "refused", count("later")),
                    ("until the last thread knew", "refused", seconds),
                    ("always 401: logins", "always-refused", count("logins")),
                    ("requests sent", "always-refused", count("requests")),
                ],
            )
        ],
    ),
    ("Bodies after an expiry", _BODIES, [(("bodies",), [(kind, "bodies", words(kind)) for kind in _KINDS])]),
    (
        "Redirect to a foreign host",
        _REDIRECTS,
        [
            (
                ("redirects",),
                [
                    ("Authorization, answers 200", "redirects", words("authorization, 200")),
                    ("answers 401", "redirects", words("authorization, 401")),
                    ("own header, answers 200", "redirects", words("own header, 200")),
                    ("answers 401", "redirects", words("own header, 401")),
                ],
            )
        ],
    ),
    (
        "Refresh ahead",
        _AHEAD,
        [
            (
                ("ahead",),
                [
                    ("slowest, beyond the usual", "ahead", beyond),
                    ("logins", "ahead", count("logins")),
                    ("requests that failed", "ahead", count("failed")),
                ],
            )
        ],
    ),
    (
        "Revocations",
        _REVOCATIONS,
        [
            (
                ("refresh", "revocations"),
                [
                    ("the request that meets it, beyond the usual", "refresh", beyond),
                    ("times the usual", "refresh", middle("times", "{:.1f}")),
                    ("failed", "refresh", count("failed")),
                    ("32 threads: throughput", "revocations", middle("ratio", "{:.2f}")),
                    ("by processor time", "revocations", middle("cpu_ratio", "{:.2f}")),
                    ("logins", "revocations", count("logins")),
                    ("beyond one each, and the first", "revocations", count("logins_beyond")),
                    ("failed of 10,000", "revocations", count("failed")),
                ],
            )
        ],
    ),
    (
        "Processes",
        _PROCESSES,
        [
            (
                ("processes", "fork", "pickle"),
                [
                    ("logins", "processes", shared("logins")),
                    ("a login ends the old session: failed of 160", "processes", shared("lost_of_160")),
                    ("fork", "fork", words("seen")),
                    ("pickle", "pickle", pickled),
                ],
            )
        ],
    ),
    (
        "Costs",
        _COSTS,
        [
            (
                ("hot-path", "end-to-end", "memory"),
                [
                    ("auth call", "hot-path", ratio("ratio", lambda own: f"{own['ns']:.0f} ns")),
                    ("requests/s", "end-to-end", ratio("ratio", lambda own: f"{own['per_second']:.0f}")),
                    ("by processor time", "end-to-end", lambda own: f"{own['cpu_ratio']:.2f}"),
                    ("bytes", "memory", lambda own: f"{own['bytes']:.0f} <small>{own['what']}</small>"),
                ],
            ),
            (
                ("contention",),
                [
                    ("1 thread" if n == "1" else f"{n} threads", "contention", thread(n))
                    for n in ("1", "8", "32", "64")
                ],
            ),
        ],
    ),
]
