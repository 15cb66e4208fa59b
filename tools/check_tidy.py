#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the sources of src/ and apps/, with the checks of .clang-tidy that cost little.

Nearly all of its time goes into headers, which every check walks through anew for every source. So sources with the
same flags are read together, a batch as one translation unit; those whose names then clash are read alone afterwards.
The static analyser is left out: it takes five times as long as all the others together (run it with --analyzer).

What was clean stays clean until the file, a header of ours that it includes, or the checks change: the hash of these is
kept in build/tidy-clean.

  tools/check_tidy.py [--analyzer] [FILE...]
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CLEAN = BUILD / "tidy-clean"
BATCH = 12  # more saves little, and holds a second core up at the end
# C++20 lets lambdas capture structured bindings; clang learnt it in version 16, and Debian 12 has 14. What it says about
# a file after such an error is guesswork, so the whole file counts as not readable.
OLD_CLANG = "reference to local binding"
# Not read: what clang 14 has no word for (g++'s __builtin_shuffle), and libtorch, whose headers take a minute a file.
LEFT_OUT = ("src/larmor/nn/kernels/conv_kernel.cpp", "src/larmor/nn/torch/")
ERROR = "[clang-diagnostic-error]"
INCLUDE = re.compile(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
PLACE = re.compile(r"^(/[^:]+):\d+:\d+: (?:error|warning): ")


class Source:
    """A file with the command that compiles it."""

    def __init__(self, path, entry):
        self.path, self.directory = path, entry["directory"]
        words = shlex.split(entry["command"])
        while words and words[0].endswith("ccache"):
            words.pop(0)
        out = words.index("-o")
        self.flags = [w for w in words[:out] + words[out + 2:] if w not in ("-c", entry["file"])]
        self.folders = [pathlib.Path(w[2:]) for w in self.flags if w.startswith("-I")]


def sources():
    """Every source once: those compiled for several instruction sets as the baseline."""
    chosen = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        path = pathlib.Path(entry["file"]).resolve()
        if not any(path.is_relative_to(ROOT / d) for d in ("src", "apps")) or path.suffix != ".cpp":
            continue
        if path.relative_to(ROOT).as_posix().startswith(LEFT_OUT):
            continue
        if path not in chosen or "LARMOR_ISA=baseline" in entry["command"]:
            chosen[path] = entry
    return [Source(path, entry) for path, entry in sorted(chosen.items())]


class Fingerprints:
    """Hash of a source, the headers of ours that it reaches, its flags and the checks."""

    def __init__(self, settings):
        self.settings, self.files = settings, {}

    def read(self, path):
        if path not in self.files:
            text = path.read_bytes()
            self.files[path] = (hashlib.sha256(text).digest(), [m.decode() for m in INCLUDE.findall(text)])
        return self.files[path]

    def of(self, source):
        reached, todo = {}, [source.path]
        while todo:
            path = todo.pop()
            if path in reached:
                continue
            reached[path], names = self.read(path)
            for name in names:
                for folder in [path.parent, *source.folders]:
                    if (folder / name).is_file():
                        todo.append((folder / name).resolve())
                        break
        whole = hashlib.sha256(self.settings + " ".join(source.flags).encode())
        for path in sorted(reached):
            whole.update(str(path).encode() + reached[path])
        return whole.hexdigest()


def batches(todo, size):
    """Sources of one room and the same flags, up to `size` together."""
    groups = {}
    for source in todo:
        room = source.path.relative_to(ROOT).parts[:3]
        groups.setdefault((room, source.directory, tuple(source.flags)), []).append(source)
    for group in groups.values():
        n = -(-len(group) // size)
        for i in range(n):
            yield group[i::n]


def run(batch, options):
    """{path: lines of findings}, {paths that could not be read in this company}."""
    text = "".join(f'#include "{s.path}"  // NOLINT\n' for s in batch)
    unit = BUILD / "tidy" / (hashlib.sha256(text.encode()).hexdigest()[:16] + ".cpp")
    unit.write_text(text, encoding="utf-8")
    command = ["clang-tidy", "--quiet", *options, str(unit), "--", *batch[0].flags[1:], "-ferror-limit=0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=batch[0].directory)
    said, unreadable, place = {}, set(), None
    for line in result.stdout.splitlines():
        found = PLACE.match(line)
        if found:
            place = pathlib.Path(found[1]).resolve()
            if ERROR in line and OLD_CLANG not in line:
                unreadable.add(place)
        if place and line.strip():
            said.setdefault(place, []).append(line)
    if result.returncode != 0 and not said:  # it did not come to checking: say why
        said[batch[0].path] = result.stderr.splitlines()[-5:]
        unreadable.add(batch[0].path)
    return said, unreadable


def check(batch, options):
    """[(source, lines of findings)]: none is good. A finding in a header is the first source's."""
    said, unreadable = run(batch, options)
    paths = {s.path for s in batch}
    if len(batch) > 1 and unreadable - paths:  # a name of one source clashes in a header that another includes
        middle = len(batch) // 2
        return check(batch[:middle], options) + check(batch[middle:], options)
    apart = [s for s in batch if s.path in unreadable]
    if len(batch) == 1 or not unreadable & paths:
        apart = []
    answers = []
    for source in batch:
        if source in apart:
            continue
        lines = said.get(source.path, [])
        if source is batch[0]:
            lines = lines + [line for path, more in said.items() if path not in paths for line in more]
        answers.append((source, [] if any(OLD_CLANG in line for line in lines) else lines))
    if apart:  # their names clash with those of others, which goes on after the error; read them without the others
        answers += check(apart, options) if len(apart) < len(batch) else [a for s in apart for a in check([s], options)]
    return answers


def main():
    arguments = sys.argv[1:]
    options = [r"--header-filter=.*/(src|apps)/.*"]
    if "--analyzer" not in arguments:
        options.append("--checks=-clang-analyzer*")
    wanted = {pathlib.Path(a).resolve() for a in arguments if not a.startswith("--")}
    if not (BUILD / "compile_commands.json").exists():
        print("tidy: no build/compile_commands.json; run make build first")
        return 1
    every = [s for s in sources() if not wanted or s.path in wanted]
    (BUILD / "tidy").mkdir(exist_ok=True)
    CLEAN.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=False).stdout
    fingerprints = Fingerprints((ROOT / ".clang-tidy").read_bytes() + " ".join(options).encode() + version)
    marks = {s.path: CLEAN / fingerprints.of(s) for s in every}
    todo = [s for s in every if not marks[s.path].exists()]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = [pool.submit(check, batch, options) for batch in batches(todo, BATCH)]
        for job in concurrent.futures.as_completed(jobs):
            for source, lines in job.result():
                if lines:
                    wrong += 1
                    print("\n".join(lines).replace(str(ROOT) + "/", ""), flush=True)
                else:
                    marks[source.path].touch()
    print(f"tidy: {len(every)} files, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
