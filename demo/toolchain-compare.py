# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the prefixes in which crossmerge and crossdev have built the same toolchain, for demo/toolchain-gentoo.

usage: toolchain-compare.py CROSSMERGE CROSSDEV TUPLE STAGE

Prints what is equal, and a table of the differences with the reason of each. Fails if a difference has no reason in REASONS. Files are
compared byte by byte, except that the times in an ar archive and in the database of packages are omitted.
"""

import fnmatch
import hashlib
import os
import pathlib
import re
import stat
import sys

# What no package owns, and differs between any two runs: build directories, logs, caches, and Python's compiled files.
SKIPPED = ["tmp", "var/cache", "var/log", "var/tmp", "*/__pycache__", "*.pyc"]

# A glob of paths, the kind of the difference, and its reason. The first that matches is taken.
REASONS = [
    (
        "*/gdb*",
        "only crossdev",
        "the copy of ::gentoo has no ebuild of GDB: crossdev writes a dangling symlink and settings for it, crossmerge nothing",
    ),
    (
        "etc/portage/*",
        "content of GDB",
        "as above: the line of GDB",
    ),
    ("*", "comments", "the comments of the two programs"),
    (
        "var/lib/crossmerge",
        "only crossmerge",
        "the record by which `toolchain build` goes on, and `toolchain remove` undoes it",
    ),
]

# The files of a package's entry in the database that are not of one run only: times, a counter, and the whole environment of the build.
ENTRY = [
    *["BDEPEND", "CATEGORY", "CBUILD", "CFLAGS", "CHOST", "CONTENTS", "CXXFLAGS", "DEPEND", "EAPI", "FEATURES", "INHERITED", "IUSE"],
    *["KEYWORDS", "LDFLAGS", "LICENSE", "PDEPEND", "PF", "PKGUSE", "RDEPEND", "RESTRICT", "SLOT", "USE", "repository"],
]

left, right, tuple_, stage = sys.argv[1:]
if stage != "full":
    REASONS += [
        (glob, "only crossdev", "crossdev makes the target before the first package, crossmerge when the toolchain is complete")
        for glob in ["usr/<tuple>/etc", "usr/<tuple>/tmp", "usr/<tuple>/var", "usr/local/bin/*<tuple>*"]
    ]


def paths(root):
    """Returns the status of each file and directory below a root."""
    found = {}
    todo = [""]
    while todo:
        directory = todo.pop()
        for entry in os.scandir(os.path.join(root, directory)):
            path = os.path.join(directory, entry.name)
            if any(fnmatch.fnmatch(path, glob) for glob in SKIPPED):
                continue
            if re.match(r"var/db/pkg/[^/]+/[^/]+/", path) and entry.name not in ENTRY:
                continue
            found[path] = entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                todo.append(path)
    return found


def members(data):
    """Yields the name and the content of each member of an ar archive, without its time, owner and mode."""
    place = 8
    while place + 60 <= len(data):
        size = int(data[place + 48 : place + 58])
        yield data[place : place + 16], data[place + 60 : place + 60 + size]
        place += 60 + size + size % 2


def content(path):
    """Returns what is compared of a regular file."""
    data = pathlib.Path(path).read_bytes()
    if data.startswith(b"!<arch>\n"):
        return list(members(data))
    if path.endswith("/CONTENTS"):
        # The checksum of a file may be that of an archive with its times. The files themselves are compared.
        return sorted(re.sub(rb"( [0-9a-f]{32})? \d+$", b"", line) for line in data.splitlines())
    return hashlib.sha256(data).digest()


def kind_of_content(path):
    """Returns the kind of the difference between two files with different contents."""
    texts = [pathlib.Path(root, path).read_bytes().splitlines() for root in (left, right)]
    for kind, pattern in [("comments", rb"\s*#"), ("content of GDB", rb"\s*#|.*/gdb\b")]:
        one, other = ([line for line in text if not re.match(pattern, line)] for text in texts)
        if one == other:
            return kind
    return "content"


def difference(path, one, other):
    """Returns the kind of the difference between two paths, or None."""
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        return "type"
    if stat.S_ISLNK(one.st_mode):
        targets = {os.readlink(os.path.join(root, path)) for root in (left, right)}
        return "symlink" if len(targets) > 1 else None
    if one.st_mode != other.st_mode:
        return "mode"
    if not stat.S_ISREG(one.st_mode) or content(os.path.join(left, path)) == content(os.path.join(right, path)):
        return None
    return kind_of_content(path)


one, other = paths(left), paths(right)
equal = {"files": 0, "symlinks": 0, "directories": 0}
owned = set()
found = {}
unexplained = []
missing = ""
for path in sorted(one.keys() | other.keys(), key=lambda path: path.split("/")):
    # Of a directory that only one prefix has, only itself is a difference.
    if missing and path.startswith(missing + "/"):
        continue
    if path not in other:
        kind, missing = "only crossmerge", path
    elif path not in one:
        kind, missing = "only crossdev", path
    else:
        kind = difference(path, one[path], other[path])
    if kind is None:
        mode = one[path].st_mode
        equal["directories" if stat.S_ISDIR(mode) else "symlinks" if stat.S_ISLNK(mode) else "files"] += 1
        continue
    general = path.replace(tuple_, "<tuple>")
    reason = next((reason for glob, known, reason in REASONS if known == kind and fnmatch.fnmatch(general, glob)), None)
    if reason is None:
        unexplained.append(f"{kind}: {path}")
    found.setdefault((kind, reason or "unexplained"), []).append(general)

print("Equal: " + ", ".join(f"{number} {what}" for what, number in equal.items()) + ".\n")
for entry in sorted(pathlib.Path(left, "var/db/pkg").glob(f"cross-{tuple_}/*")):
    lines = [entry / "CONTENTS", pathlib.Path(right, entry.relative_to(left), "CONTENTS")]
    if lines[1].exists():
        number = len(lines[0].read_text().splitlines())
        same = "the same" if content(str(lines[0])) == content(str(lines[1])) else "not the same"
        print(f"- {entry.name}: {number} paths, {same} as crossdev's")
print("\n| difference | paths | reason |\n|---|---|---|")
for (kind, reason), names in found.items():
    shown = ", ".join(f"`{name}`" for name in names[:4])
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    print(f"| {kind} | {shown}{more} | {reason} |")
if unexplained:
    sys.exit("\n".join([*unexplained, f"{len(unexplained)} differences have no reason in {sys.argv[0]}"]))
