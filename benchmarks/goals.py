"""The goals, and whether they are reached as measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OURS = "requests_partnerauth"
_PARTNERS = ("BexAuth", "FiservBoardingAuth", "FiservCommerceConnectAuth", "FiservPartnerAuth")

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
    return f"{min(ratios):.2f} to {max(ratios):.2f}", max(ratios) <= 0.9


def _body(cases: Cases) -> Verdict:
    ratio = cases["body-size"]["300"]["ratio"]
    return f"{ratio:.2f}", ratio <= 1.2


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
    words = f"{figures['ratio']:.2f} by wall clock, {figures['cpu_ratio']:.2f} by processor time"
    return words, figures["ratio"] >= 0.98


def _threads(cases: Cases) -> Verdict:
    ratio = cases["contention"][OURS]["32"]["ratio"]
    return f"{ratio:.2f}", ratio <= 0.95


def _import(cases: Cases) -> Verdict:
    ratio = cases["imports"][OURS]["ratio_with_attrs"]
    bare = cases["imports"][f"{OURS}, no name of it used"]["ratio_with_attrs"]
    return f"{ratio:.2f} (no name of it used yet: {bare:.2f})", ratio <= 1.08


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
    ("auth call with a token in hand, header partners, against HTTPBasicAuth", "at most 0.9", _hot_path),
    ("rp.Gateway's auth call, 300-byte JSON body, against parsing and writing it once", "at most 1.2", _body),
    ("the same from 10 kB to 10 MB", "linear", _body_growth),
    ("requests per second on a kept-alive connection, against HTTPBasicAuth", "at least 0.98", _per_second),
    ("auth call in 32 threads on one auth, against HTTPBasicAuth", "at most 0.95", _threads),
    (
        "import with one partner's auth in fresh processes, against `import requests, attrs`",
        "at most 1.08",
        _import,
    ),
    ("logins in the cold herd, the expiry herd, the herd where a login ends the old session", "1", _herds),
    ("refused password: attempts by 64 threads, by 20 more calls", "1 and 0", _refused),
    ("an endpoint that always refuses: logins beyond the first", "1", _always),
    ("slowest request of 8 threads in a refresh ahead of 500 ms, beyond the usual", "under 20 ms", _ahead),
    ("memory for each auth object with an account and a token of its own", "at most 2 kB", _memory),
    ("10,000 accounts in one process", "memory linear", _accounts),
)
