#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the matrix of the site answers from the reports of `crossmerge site-cache verify --json`.

usage: matrix.py REPORTS SITE-CACHE TARGETS [TUPLE…]

Prints on standard error each answer that differs, each answer that was not measured and is no exception, and each warning of a
compiler. In these cases the exit code is 1.
"""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path


def measured(path):
    """Returns the part of a file that the probes measure, as text. For a layer, it omits the keys that only record which scripts ask."""
    text = path.read_text()
    if path.parent.name == "probes":
        return text
    layer = tomllib.loads(text)
    for answer in layer["answers"].values():
        for key in ("asked", "needs", "others"):
            answer.pop(key, None)
    return json.dumps(layer, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(directory):
    """Returns the digest of the answers and probes of a matrix: of the path and the measured part of each file, in the order of paths."""
    files = [*directory.glob("*.toml"), *directory.glob("probes/*.c"), *directory.glob("probes/*.toml")]
    sha = hashlib.sha256()
    for path in sorted(path.relative_to(directory).as_posix() for path in files):
        sha.update(f"{path}\0{measured(directory / path)}\0".encode())
    return sha.hexdigest()


def code(value):
    """Returns a value as Markdown, for a table cell."""
    return "`%s`" % value.replace("|", "\\|") if value else "(empty)"


def version(emulator):
    """Returns the first line of an emulator's --version, without Debian's own version."""
    output = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=True).stdout
    return output.splitlines()[0].split(" (")[0]


def cells(rows, head):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main():
    work, data, targets, *only = sys.argv[1:]
    work, data = Path(work), Path(data)
    lines = [line.split("\t") for line in Path(targets).read_text().splitlines() if not line.startswith("#")]
    tuples = [row[0] for row in lines if not only or row[0] in only]
    reports = {of: json.loads((work / f"{of}.json").read_text()) for of in tuples}
    wrong = 0
    variables = {}
    excepted = {}
    unverified = {}
    for of, report in reports.items():
        for name, warning in report["warnings"].items():
            print(f"{of}: probe {name}: {warning}", file=sys.stderr)
            wrong += 1
        for answer in report["answers"]:
            name, verdict = answer["name"], answer["verdict"]
            if verdict == "unverified":
                unverified.setdefault((name, answer["asker"] or ""), []).append(of)
                continue
            entry = variables.setdefault(name, {"asker": answer["asker"] or "", "values": {}})
            entry["values"][of] = answer["shipped"]
            if answer.get("about"):
                entry["about"] = answer["about"]
            if verdict == "excepted":
                excepted.setdefault((answer["probe"], answer["reason"]), {}).setdefault(of, []).append(name)
            elif verdict != "confirmed":
                what = f"shipped {answer['shipped']!r}, here {answer['here']!r}" if verdict == "differs" else answer["why"]
                print(f"{of}: {name}: {what} (probe {answer['probe']})", file=sys.stderr)
                wrong += 1

    print("# The site answers, measured\n")
    print("`make verify-site` wrote this page. It compiled every probe of `site-cache/probes` with each target's compiler and ran it,")
    print("under QEMU's user emulation if the build machine cannot run it. Each value below is the shipped answer. The probe printed the")
    print("same value for each target, except in the section on QEMU.\n")
    print(f"Digest of the data: `{digest(data)}`\n")
    rows = []
    for of in tuples:
        versions = dict(line.split("\t") for line in (work / f"{of}.versions").read_text().splitlines())
        counts = [answer["verdict"] for answer in reports[of]["answers"]]
        emulator = reports[of]["emulator"]
        runs = version(emulator[0]) if emulator else "the kernel"
        rows.append([f"`{of}`", versions["libc"], versions["gcc"], runs, str(counts.count("confirmed")), str(counts.count("excepted"))])
    cells(rows, ["target", "libc", "GCC", "run by", "confirmed", "excepted"])

    same, differing = [], []
    for name, entry in sorted(variables.items()):
        values = entry["values"]
        about = {"kernel": " (about the kernel)", "filesystem": " (about the file system)"}.get(entry.get("about"), "")
        if len(values) == len(tuples) and len(set(values.values())) == 1:
            same.append([f"`{name}`", code(values[tuples[0]]), entry["asker"] + about])
        else:
            differing.append((name, entry, about))
    print("## The same on every target\n")
    cells(same, ["variable", "value", "asked by"])
    print("## Different on some targets\n")
    groups = []
    for name, entry, about in differing:
        by_value = {}
        for of in tuples:
            by_value.setdefault(entry["values"].get(of), []).append(of)
        order = sorted(by_value.items(), key=lambda item: (item[0] is None, -len(item[1])))
        text = []
        for value, where in order:
            value = "no answer" if value is None else code(value)
            for libc in ("gnu", "musl"):
                every = [of for of in tuples if f"-linux-{libc}" in of]
                if set(every) <= set(where):
                    where = [of for of in where if of not in every] + ["every glibc" if libc == "gnu" else "every musl"]
            text.append(value + ": " + ", ".join(of if of.startswith("every ") else f"`{of}`" for of in where))
        groups.append([f"`{name}`", "<br>".join(text), entry["asker"] + about])
    cells(groups, ["variable", "value: targets", "asked by"])
    if excepted:
        print("## Wrong results under QEMU\n")
        print("These answers are not measured on the targets named: `site-cache/probes/exceptions.toml`.\n")
        rows = []
        for (probe, reason), where in sorted(excepted.items()):
            names = sorted({name for of in where.values() for name in of})
            rows.append([f"`{probe}`", ", ".join(f"`{n}`" for n in names), ", ".join(f"`{of}`" for of in where), reason])
        cells(rows, ["probe", "variables", "targets", "why"])
    if unverified:
        print("## Without a probe\n")
        print("These answers are given only with `unverified_answers = true`.\n")
        cells([[f"`{name}`", asker] for name, asker in sorted(unverified)], ["variable", "asked by"])
    sys.exit(1 if wrong else 0)


main()
