#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the table of rooms: which room's headers each room may include. Fails with the offending lines."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {
    "core": set(),
    "data": {"core"},
    "fit": {"core"},
    "nn": {"core"},
    "flow": {"core"},
    "io": {"core", "data"},
    "recon": {"core", "data"},
    "sim": {"core", "data"},
    "perfusion": {"core", "data", "fit", "nn"},
    "seg": {"core", "data", "nn"},
    "clinic": {"core", "data", "io"},
    "nodes": {"core", "data", "fit", "nn", "flow", "io", "recon", "sim", "perfusion", "seg", "clinic"},
}
EVERYTHING = set(ALLOWED)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]larmor/([a-z0-9_]+)/')
SUFFIXES = {".cpp", ".hpp", ".cu", ".cuh"}


def main() -> int:
    bad, files = [], 0
    for path in sorted((ROOT / "src" / "larmor").rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        files += 1
        room = path.relative_to(ROOT / "src" / "larmor").parts[0]
        if room not in ALLOWED:
            bad.append(f"{path.relative_to(ROOT)}: no room called '{room}'")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = INCLUDE.match(line)
            if found and found[1] != room and found[1] not in ALLOWED[room]:
                bad.append(f"{path.relative_to(ROOT)}:{number}: {room} may not include {found[1]}")
    tracked = [p for d in ("src", "apps", "tests", "bench", "tools", "cmake") for p in (ROOT / d).rglob("*")
               if p.suffix in SUFFIXES | {".py", ".sh", ".cmake"}]
    for path in tracked:
        head = path.read_text(encoding="utf-8").split("\n", 3)[:3]
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            bad.append(f"{path.relative_to(ROOT)}: no SPDX line in its first three lines")
    for line in bad:
        print(line)
    print(f"rooms: {files} files, {len(bad)} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
