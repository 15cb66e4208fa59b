#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the sources of src/ and apps/, with the checks of .clang-tidy that cost little.

The static analyser is left out here: it takes five times as long as all the others together (run it with
--analyzer). What was clean stays clean until the file, a header it includes or the checks change: the hash of the
preprocessed source is kept in build/tidy-clean.

  tools/check_tidy.py [--analyzer] [FILE...]
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CLEAN = BUILD / "tidy-clean"
# C++20 lets lambdas capture structured bindings; clang learnt it in version 16, and Debian 12 has 14. What it says about
# a file after such an error is guesswork, so the whole file counts as not readable.
OLD_CLANG = "reference to local binding"
# Young rooms that have not been gone through yet: what is found there is printed, and fails nothing. Take a room off the
# list once it is clean.
PENDING = ("src/larmor/flow/", "src/larmor/nodes/", "src/larmor/recon/", "src/larmor/sim/")


def one_entry_a_file():
    """Sources compiled for several instruction sets are read once, as the baseline."""
    chosen = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        path = pathlib.Path(entry["file"]).resolve()
        if not any(path.is_relative_to(ROOT / d) for d in ("src", "apps")) or path.suffix != ".cpp":
            continue
        if path not in chosen or "LARMOR_ISA=baseline" in entry["command"]:
            chosen[path] = entry
    return chosen


def fingerprint(entry, settings):
    command = entry["command"].split(" -o ")[0]
    words = [w for w in command.split() if not w.endswith("ccache")] + ["-E", "-P", entry["file"]]
    text = subprocess.run(words, cwd=entry["directory"], capture_output=True, check=False)
    if text.returncode != 0:
        return None
    return hashlib.sha256(settings + text.stdout).hexdigest()


def check(path, entry, settings, options):
    mark = fingerprint(entry, settings)
    if mark and (CLEAN / mark).exists():
        return path, True, ""
    result = subprocess.run(["clang-tidy", "-p", str(BUILD / "tidy"), "--quiet", *options, str(path)],
                            capture_output=True, text=True, check=False)
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    good = result.returncode == 0 or any(OLD_CLANG in line for line in lines)
    if good and mark:
        (CLEAN / mark).touch()
    if not lines:  # it did not come to checking: say why
        lines = result.stderr.splitlines()[-5:]
    return path, good, "\n".join(lines)


def main():
    arguments = sys.argv[1:]
    options = [] if "--analyzer" in arguments else ["--checks=-clang-analyzer*"]
    wanted = {pathlib.Path(a).resolve() for a in arguments if not a.startswith("--")}
    if not (BUILD / "compile_commands.json").exists():
        print("tidy: no build/compile_commands.json; run make build first")
        return 1
    entries = one_entry_a_file()
    if wanted:
        entries = {p: e for p, e in entries.items() if p in wanted}
    (BUILD / "tidy").mkdir(exist_ok=True)
    CLEAN.mkdir(exist_ok=True)
    (BUILD / "tidy" / "compile_commands.json").write_text(json.dumps(list(entries.values())), encoding="utf-8")
    settings = (ROOT / ".clang-tidy").read_bytes() + " ".join(options).encode()
    wrong = pending = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = [pool.submit(check, p, e, settings, options) for p, e in sorted(entries.items())]
        for job in jobs:
            path, good, text = job.result()
            if not good:
                if str(path.relative_to(ROOT)).startswith(PENDING):
                    pending += 1
                else:
                    wrong += 1
                print(text.replace(str(ROOT) + "/", ""))
    print(f"tidy: {len(entries)} files, {wrong} wrong" + (f", {pending} to be looked at in young rooms" if pending else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
