#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every registered item says what it is, where it comes from and in which units, and a test names it.

Reads what the program itself lists (`build/bin/larmor list all --json`), so nothing is missed that a user can reach.

Operations also describe every port and setting, and docs/reference/operations is what the program writes.

  tools/check_registry.py [PROGRAM]
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("models", "aifs", "convolutions", "fitters", "t1", "asl-models", "labellings", "differences", "m0-methods")


def tests_text():
    files = [p for p in sorted((ROOT / "tests").rglob("*")) if p.suffix in {".cpp", ".py", ".hpp"}]
    return "\n".join(p.read_text(encoding="utf-8") for p in files)


def named_in(text, item_id):
    return re.search(r"(?<![\w.])" + re.escape(item_id) + r"(?![\w])", text) is not None


def problems_of(kind, item, tests):
    item_id = item.get("id", "")
    if not re.fullmatch(r"[a-z0-9]+(\.[a-z0-9_]+)+", item_id):
        yield f"{kind}: '{item_id}' is no id (write room.name in small letters, digits and _)"
    for field, what in (("title", "title"), ("source", "source: the paper it comes from")):
        if not str(item.get(field, "")).strip():
            yield f"{kind}: {item_id} has no {what}"
    if kind == "models" and not item.get("params"):
        yield f"{kind}: {item_id} has no parameters"
    for param in item.get("params", []):
        if not str(param.get("unit", "")).strip():
            yield f"{kind}: {item_id}: parameter '{param.get('name')}' has no unit (write 1 for a pure number)"
    if item_id and not named_in(tests, item_id):
        yield f"{kind}: no file below tests/ names {item_id}"


def problems_of_operation(item, types, tests):
    item_id = item.get("id", "")
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", item_id):
        yield f"ops: '{item_id}' is no id (write category.name in small letters, digits and _)"
    for field in ("title", "does"):
        if not item.get(field, "").strip():
            yield f"ops: {item_id} has no {'sentence' if field == 'does' else field}"
    if not item.get("inputs") and not item.get("outputs"):
        yield f"ops: {item_id} takes nothing and gives nothing"
    for kind in ("inputs", "outputs", "settings"):
        names = [x.get("name", "") for x in item.get(kind, [])]
        for name in sorted({n for n in names if names.count(n) > 1}):
            yield f"ops: {item_id}: '{name}' is twice among its {kind}"
        for x in item.get(kind, []):
            if not x.get("what", "").strip():
                yield f"ops: {item_id}: '{x.get('name')}' of its {kind} does not say what it is"
            if kind != "settings" and x.get("type") not in types:
                yield f"ops: {item_id}: port '{x.get('name')}' has the type '{x.get('type')}', which is not registered"
    if item_id and not named_in(tests, item_id):
        yield f"ops: no file below tests/ names {item_id}"


def stale_pages(program):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "docs", f"{folder}/pages"], capture_output=True, text=True, check=True)
        made = {p.name: p.read_text(encoding="utf-8") for p in pathlib.Path(folder, "pages", "operations").glob("*.md")}
    kept = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "docs" / "reference" / "operations").glob("*.md")}
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    return [f"docs/reference/operations/{name} is out of date: run build/bin/larmor docs docs/reference" +
            ("" if name in made else " and remove it") for name in stale]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "bin" / "larmor")
    try:
        answer = subprocess.run([program, "list", "all", "--json"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"registry: {program} list all --json does not work: {error}")
        print(getattr(error, "stderr", "") or "", end="")
        return 1
    listed, tests = json.loads(answer.stdout), tests_text()
    bad, count = [], 0
    for kind in KINDS:
        items = listed.get(kind, [])
        if not items:
            bad.append(f"{kind}: nothing is registered")
        ids = [item.get("id") for item in items]
        bad += [f"{kind}: {i} is listed twice" for i in sorted({i for i in ids if ids.count(i) > 1}, key=str)]
        for item in items:
            count += 1
            bad += problems_of(kind, item, tests)
    types = {t.get("id") for t in listed.get("types", [])}
    if not listed.get("ops"):
        bad.append("ops: nothing is registered")
    for item in listed.get("ops", []):
        count += 1
        bad += problems_of_operation(item, types, tests)
    bad += stale_pages(program)
    for command in listed.get("commands", []):
        count += 1
        if not str(command.get("does", "")).strip():
            bad.append(f"commands: '{command.get('name')}' does not say what it does")
    for line in bad:
        print(line)
    print(f"registry: {count} items, {len(bad)} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
