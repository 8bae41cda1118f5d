# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the table of the toolchains that demo/toolchain has built.

usage: toolchain-table.py FILE DIRECTORY KIND…

DIRECTORY contains for each kind KIND.json, the output of `crossmerge toolchain status --json`, KIND.ran, the programs that
ran, and KIND.size, the MiB of the packed toolchain. FILE has two comments, between which the table is. The rows of other targets stay.
"""

import json
import pathlib
import sys
import time

BEGIN = "<!-- The table is written by make toolchains. -->\n"
END = "<!-- The end of the table. -->\n"
HEAD = "| target | steps | programs that ran | packed | date |\n|---|---|---|---|---|\n"

file, directory, *kinds = sys.argv[1:]
path = pathlib.Path(file)
before, rest = path.read_text().split(BEGIN)
table, after = rest.split(END)
rows = {line.split("|")[1].strip(): line for line in table.splitlines()[3:] if line.startswith("|")}

for kind in kinds:
    (toolchain,) = json.loads(pathlib.Path(directory, f"{kind}.json").read_text())
    tuple_ = toolchain["category"].split("-", 1)[1]
    # A step that was interrupted has no time: only that of a whole build is recorded.
    steps = [
        f"{step['name']} {step['version']} "
        + (f"{step['seconds'] // 60}:{step['seconds'] % 60:02}" if step["seconds"] else "–")
        for step in toolchain["steps"]
        if step["state"] == "done"
    ]
    ran = pathlib.Path(directory, f"{kind}.ran")
    date = time.strftime("%Y-%m-%d", time.gmtime(ran.stat().st_mtime))
    cells = [
        f"`{tuple_}`",
        ", ".join(steps),
        ", ".join(ran.read_text().splitlines()),
        f"{pathlib.Path(directory, f'{kind}.size').read_text().strip()} MiB",
        date,
    ]
    rows[cells[0]] = f"| {' | '.join(cells)} |"

table = HEAD + "".join(f"{rows[name]}\n" for name in sorted(rows))
path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
