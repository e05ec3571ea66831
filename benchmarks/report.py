"""results.md: ratios first, absolute times in small print."""

from __future__ import annotations

from typing import Any

from .cells import Cell
from .goals import goals
from .peers import PEERS, VARIANTS
from .tables import FLOORS, HEAD, SECTIONS

Cases = dict[str, Any]

_NAMES = [*PEERS, *VARIANTS]
_BUSY = 0.03


def report(results: dict[str, Any]) -> str:
    """The page."""
    cases = results["cases"]
    parts = [HEAD, _machine(results["machine"]), _runs(results), "## Goals\n", _goals(cases), FLOORS]
    for title, told, tables in SECTIONS:
        wanted = [table for table in tables if any(case in cases for case in table[0])]
        if wanted:
            parts += [f"## {title}\n", told, *(_table(cases, *table) for table in wanted)]
    if "hot-path" in cases:
        parts.append(_partners(cases["hot-path"]))
    if "body-size" in cases:
        parts.append(_body_sizes(cases["body-size"]))
    if "responses" in cases:
        parts.append(_responses(cases["responses"]))
    if "imports" in cases:
        parts.append(_import_floor(cases["imports"]))
    if "first-request" in cases:
        parts.append(_first_request(cases["first-request"]))
    if "accounts" in cases:
        parts.append(_accounts(cases["accounts"]))
    return "\n".join(parts).rstrip() + "\n"


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        f"<small>{machine['cpus']} processors ({machine['processor']}), {machine['system']}, "
        f"{machine['python']}. {versions}.</small>\n"
    )


def _runs(results: dict[str, Any]) -> str:
    """When each case was measured, and how busy others kept the machine: then it is no last word."""
    by_run: dict[str, list[str]] = {}
    for case, started in results.get("runs", {}).items():
        by_run.setdefault(started, []).append(case)
    others = results.get("others", {})
    told = []
    for started, cases in sorted(by_run.items()):
        known = {case: others[case] for case in cases if others.get(case) is not None}
        disturbed = [case for case, share in known.items() if share > _BUSY]
        busy = f", others took up to {max(known.values()):.1%} of the processors" if known else ""
        if disturbed:
            busy += f" (in {', '.join(disturbed)}; elsewhere {_BUSY:.0%} at most)"
        told.append(f"{started} UTC{busy}: {', '.join(cases)}")
    return f"<small>Measured {'; '.join(told)}.</small>\n" if told else ""


def _goals(cases: Cases) -> str:
    return _rows(["case", "goal", "measured", ""], goals(cases))


def _table(cases: Cases, needed: tuple[str, ...], columns: list[tuple[str, str, Cell]]) -> str:
    names = [name for name in _NAMES if any(name in cases.get(case, {}) for case in needed)]
    rows = [[_name(name), *(_cell(cases, case, name, cell) for _, case, cell in columns)] for name in names]
    return _rows(["", *(title for title, _, _ in columns)], rows)


def _cell(cases: Cases, case: str, name: str, cell: Cell) -> str:
    figures = cases.get(case, {}).get(name)
    if figures is None:
        peer = {**PEERS, **VARIANTS}[name]
        return "-" if peer.logs_in else "no login"
    if "verdict" in figures:
        return str(figures["verdict"])
    try:
        return cell(figures)
    except KeyError:
        return "-"


def _name(name: str) -> str:
    return f"**{name}**" if name == "requests_partnerauth" else name


def _rows(head: list[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _partners(figures: dict[str, Any]) -> str:
    rows = [
        [name, f"{own['ratio']:.2f} <small>{own['ns']:.0f} ns</small>"]
        for name, own in figures.items()
        if name not in PEERS
    ]
    return "The partners' own auths, and HTTPBasicAuth against itself, which shows the noise:\n\n" + _rows(
        ["", "auth call"], rows
    )


def _body_sizes(figures: dict[str, Any]) -> str:
    rows = [
        [
            f"{int(size):,}",
            f"{own['ratio']:.2f}",
            f"<small>{own['us']:.0f} µs against {own['plain_us']:.0f} µs</small>",
        ]
        for size, own in figures.items()
    ]
    return (
        "## rp.Gateway: cost by body size\n\nThe session goes into the JSON body. Against "
        "`json.dumps(json.loads(body)).encode()` once:\n\n"
        + _rows(["bytes", "ratio", ""], rows)
        + "\n![cost by body size](body-size.svg)\n"
    )


def _responses(figures: dict[str, Any]) -> str:
    parts = [
        "## Responses by size\n\nThe same response with an auth that looks for an expiry signal, against "
        "HTTPBasicAuth in turns: processor time\n(in small print wall clock and peak memory). Times are "
        "medians of the ratios of neighbouring rounds.\n"
    ]
    if "verdict" in figures:
        return f"{parts[0]}\nOf this run: {figures['verdict']}.\n"
    for form in next(iter(figures.values())):
        sizes = next(iter(figures.values()))[form]
        rows = [
            [
                _name(name),
                *(
                    f"{own['cpu']:.2f} <small>{own['wall']:.2f}, {own['peak']:.2f}</small>"
                    for own in forms[form].values()
                ),
            ]
            for name, forms in figures.items()
        ]
        parts.append(_rows([form, *(f"{int(size):,} bytes" for size in sizes)], rows))
    return "\n".join(parts)


def _first_request(figures: dict[str, Any]) -> str:
    rows = [
        [name, own["verdict"], "", ""]
        if "verdict" in own
        else [
            _name(name),
            f"{own['ratio']:.2f}",
            f"{own['cpu_ratio']:.2f}",
            f"<small>{own['ms']:.0f} ms</small>",
        ]
        for name, own in figures.items()
    ]
    return (
        "## First request of a process\n\nImport, login, one call; whole processes, from start to end. With "
        "a hot cache there is no login, but what the\ncache needs is imported.\n\n"
        + _rows(["", "against requests with a login by hand", "by processor time", ""], rows)
    )


def _import_floor(figures: dict[str, Any]) -> str:
    rows = [
        [name, f"{own['ratio']:.2f}", f"{own['ratio_with_attrs']:.2f}", f"<small>{own['ms']:.0f} ms</small>"]
        for name, own in figures.items()
    ]
    return (
        "## Import\n\nWhat a script imports to use it, after `import requests`; fresh processes.\n\n"
        + _rows(["", "against `import requests`", "against `import requests, attrs`", ""], rows)
    )


def _accounts(figures: dict[str, Any]) -> str:
    rows = [
        [
            _name(name),
            f"{own['ratio']:.2f} <small>{own['many_ns']:.0f} ns</small>",
            f"<small>{own['one_ns']:.0f} ns</small>",
            f"{own['bytes_1000']:.0f}",
            f"{own['bytes_10000']:.0f}",
        ]
        for name, own in figures.items()
    ]
    head = [
        "",
        "auth call on 10,000 accounts in random order",
        "always on one",
        "bytes each of 1,000",
        "bytes each of 10,000",
    ]
    return "## 10,000 accounts\n\n" + _rows(head, rows)
