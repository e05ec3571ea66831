"""The goals, and whether they are reached as measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

OURS = "requests_partnerauth"
_PARTNERS = ("BexAuth", "FiservBoardingAuth", "FiservCommerceConnectAuth", "FiservPartnerAuth")
_LOOKING = ("BexAuth", "FiservPartnerAuth", "RpGatewayAuth")
_SMALL = 10_000

Cases = dict[str, Any]
Verdict = tuple[str, bool]


def goals(cases: Cases) -> list[tuple[str, str, str, str]]:
    """Each goal: the case, what is wanted, what was measured, reached or not."""
    rows = []
    for case, wanted, look in _GOALS:
        try:
            measured, reached = look(cases)
        except (KeyError, TypeError):
            rows.append((case, wanted, "not measured", "-"))
            continue
        rows.append((case, wanted, measured, "reached" if reached else "**not reached**"))
    return rows


def _hot_path(cases: Cases) -> Verdict:
    ratios = [cases["hot-path"][name]["ratio"] for name in _PARTNERS]
    return f"{min(ratios):.2f} to {max(ratios):.2f}", max(ratios) <= 0.8


def _body(cases: Cases) -> Verdict:
    smallest = cases["body-size"]["100"]["ratio"]
    others = [own["ratio"] for size, own in cases["body-size"].items() if size != "100"]
    return f"{smallest:.2f} and {max(others):.2f}", smallest <= 1.2 and max(others) <= 1.0


def _body_growth(cases: Cases) -> Verdict:
    sizes = cases["body-size"]

    def growth(which: str) -> float:
        small, large = sizes["10000"], sizes["10000000"]
        return float((large[which] / large["bytes"]) / (small[which] / small["bytes"]))

    ours, plain = growth("us"), growth("plain_us")
    words = f"{ours:.2f} times per byte (parsing and writing: {plain:.2f} times)"
    return words, ours <= max(1.25, plain * 1.25)


def _per_second(cases: Cases) -> Verdict:
    figures = cases["end-to-end"][OURS]
    words = f"{figures['ratio']:.3f} by wall clock, {figures['cpu_ratio']:.3f} by processor time"
    return words, figures["ratio"] >= 0.99


def _threads(cases: Cases) -> Verdict:
    ratio = cases["contention"][OURS]["32"]["ratio"]
    return f"{ratio:.2f}", ratio <= 0.95


def _import(cases: Cases) -> Verdict:
    figures = cases["imports"][OURS]
    ratio, alone = figures["ratio_with_attrs"], figures["ratio"]
    return f"{ratio:.2f} (against `import requests` alone: {alone:.2f})", round(ratio, 2) <= 1.05


def _responses(cases: Cases, *, small: bool) -> Verdict:
    """The dearest of ours, whatever the form; how far the floor is from itself beside it."""
    figures = cases["responses"]

    def most(names: Iterable[str]) -> float:
        return max(
            own["cpu"]
            for name in names
            for sizes in figures[name].values()
            for size, own in sizes.items()
            if (int(size) <= _SMALL) is small
        )

    ours = most(_LOOKING)
    noise = most(["HTTPBasicAuth, once more"])
    return f"{ours:.2f} at most (HTTPBasicAuth against itself: {noise:.2f})", ours <= (
        1.05 if small else 1.02
    )


def _peaks(cases: Cases, *, streamed: bool) -> Verdict:
    cells = [
        own
        for name in _LOOKING
        for form, sizes in cases["responses"][name].items()
        if form.endswith("streamed") is streamed
        for own in sizes.values()
    ]
    dearest = max(cells, key=lambda own: float(own["peak"]))
    peak = round(dearest["peak"], 2)
    return f"{peak:.2f} at most, {max(0.0, dearest['peak_kb_more']):.0f} kB more", peak <= 1.0


def _first(cases: Cases) -> Verdict:
    figures = cases["first-request"][OURS]
    words = f"{figures['ratio']:.2f} by wall clock, {figures['cpu_ratio']:.2f} by processor time"
    return words, figures["ratio"] <= 1.1


def _crowd(cases: Cases) -> Verdict:
    figures = cases["revocations"][OURS]
    ratio, beyond = figures["ratio"]["median"], figures["logins_beyond"]["most"]
    words = f"{ratio:.3f}; {beyond} logins beyond that; {figures['failed']['most']} requests failed"
    return words, ratio >= 0.97 and beyond <= 0 and not figures["failed"]["most"]


def _herds(cases: Cases) -> Verdict:
    most = [cases[case][OURS]["logins"]["most"] for case in ("cold-herd", "expiry-herd", "ending-herd")]
    lost = sum(cases[case][OURS]["failed"]["most"] for case in ("cold-herd", "expiry-herd", "ending-herd"))
    return f"{', '.join(str(number) for number in most)} at most; {lost} requests failed", max(
        most
    ) == 1 and not lost


def _refused(cases: Cases) -> Verdict:
    figures = cases["refused"][OURS]
    first, later = figures["attempts"]["most"], figures["later"]["most"]
    return f"{first} and {later} at most", first == 1 and later == 0


def _always(cases: Cases) -> Verdict:
    most = cases["always-refused"][OURS]["logins"]["most"]
    return f"{most} at most", most <= 1


def _ahead(cases: Cases) -> Verdict:
    beyond, floor = cases["ahead"][OURS]["beyond_ms"], cases["ahead"]["HTTPBasicAuth"]["beyond_ms"]
    measured, machine = beyond["median"], floor["median"]
    return f"{measured:.0f} ms (HTTPBasicAuth, with nothing to refresh: {machine:.0f} ms)", measured < 20


def _memory(cases: Cases) -> Verdict:
    size = cases["memory"][OURS]["bytes"]
    return f"{size / 1000:.2f} kB", size <= 2000


def _accounts(cases: Cases) -> Verdict:
    figures = cases["accounts"][OURS]
    growth, ratio = figures["bytes_10000"] / figures["bytes_1000"], figures["ratio"]
    words = f"{growth:.2f} times the memory each of 1,000; the call {ratio:.2f} of HTTPBasicAuth's on as many"
    return words, growth <= 1.1


_GOALS: tuple[tuple[str, str, Callable[[Cases], Verdict]], ...] = (
    ("auth call with a token in hand, header partners, against HTTPBasicAuth", "at most 0.8", _hot_path),
    (
        "rp.Gateway's auth call, JSON body of 100 bytes, and from 300 on, against parsing and writing it",
        "at most 1.2 and 1.0",
        _body,
    ),
    ("the same from 10 kB to 10 MB", "linear", _body_growth),
    ("requests per second on a kept-alive connection, against HTTPBasicAuth", "at least 0.99", _per_second),
    ("auth call in 32 threads on one auth, against HTTPBasicAuth", "at most 0.95", _threads),
    (
        "import with one partner's auth in fresh processes, against `import requests, attrs`",
        "at most 1.05",
        _import,
    ),
    (
        "a response up to 10 kB, header partners and rp.Gateway, against HTTPBasicAuth: processor time",
        "at most 1.05",
        partial(_responses, small=True),
    ),
    ("the same above 10 kB, to 100 MB", "at most 1.02", partial(_responses, small=False)),
    ("peak memory for any response, read at once", "at most 1.00", partial(_peaks, streamed=False)),
    ("peak memory for any response, streamed", "at most 1.00", partial(_peaks, streamed=True)),
    (
        "first request of a process (import, login, call), against the same by hand with requests",
        "at most 1.10",
        _first,
    ),
    (
        "32 threads, a revocation each 500 requests: throughput against HTTPBasicAuth without any; "
        "logins beyond one for each revocation and the first",
        "at least 0.97; 0",
        _crowd,
    ),
    ("logins in the cold herd, the expiry herd, the herd where a login ends the old session", "1", _herds),
    ("refused password: attempts by 64 threads, by 20 more calls", "1 and 0", _refused),
    ("an endpoint that always refuses: logins beyond the first", "1", _always),
    ("slowest request of 8 threads in a refresh ahead of 500 ms, beyond the usual", "under 20 ms", _ahead),
    ("memory for each auth object with an account and a token of its own", "at most 2 kB", _memory),
    ("10,000 accounts in one process", "memory linear", _accounts),
)
