#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves that a ReeveAdmitted is made in admission.c alone: nothing that makes one is exported, and no other source
or header knows the structure. Arguments: build folder, source folder."""

import pathlib
import re
import subprocess
import sys

# everything with admission.c's prefixes that other objects may link against; a new name belongs here only if it
# cannot hand out a right that did not go through the stages
ALLOWED = {
    "reeve_admission_get_type", "reeve_admission_new", "reeve_admission_set_tool_policy", "reeve_admission_add_check",
    "reeve_admission_begin", "reeve_admission_begin_async", "reeve_admission_begin_finish", "reeve_admission_settle_async",
    "reeve_admission_settle_finish", "reeve_admission_read_async", "reeve_admission_read_finish", "reeve_admission_refuse",
    "reeve_admission_resume", "reeve_admission_recover",
    "reeve_admitted_consume", "reeve_admitted_is_consumed", "reeve_admitted_get_intent", "reeve_admitted_get_caller",
}


def exported(paths):
    """The names that each object file exports."""
    names = {path: set() for path in paths}
    command = ["nm", "--defined-only", "--extern-only", "--print-file-name", *map(str, paths)]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        place, _, name = line.rsplit(" ", 2)
        names[pathlib.Path(place.rsplit(":", 1)[0])].add(name)
    return names


def main():
    build, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    faults = []
    objects = [p for p in (build / "host").rglob("*.o")]
    makers = [p for p in objects if p.name.endswith("admission.c.o") and p.parent.name.startswith("libreeve-governance")]
    names_of = exported(objects)
    if len(makers) != 1:
        faults.append(f"one object of admission.c is expected, found {len(makers)}")
    for path in makers:
        names = names_of[path]
        for name in sorted(names - ALLOWED):
            faults.append(f"admission.c exports {name}, which this test does not know")
        for name in sorted(ALLOWED - names):
            faults.append(f"admission.c does not export {name} any more")
    for path in objects:
        if path in makers:
            continue
        for name in sorted(names_of[path]):
            if name.startswith("reeve_admitted_"):
                faults.append(f"{path.name} defines {name}")
    # the type is opaque: only admission.c completes it, and nobody else casts memory of his own to it
    known = re.compile(r"struct\s+_ReeveAdmitted\b")
    cast = re.compile(r"\(\s*ReeveAdmitted\s*\*\s*\)|g_new0?\s*\(\s*ReeveAdmitted\b|sizeof\s*\(\s*ReeveAdmitted\b")
    for path in sorted((source / "host").rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        inside = [m for m in known.finditer(text) if not text[:m.end()].endswith("typedef struct _ReeveAdmitted")]
        if path.name != "admission.c" and (inside or cast.search(text)):
            faults.append(f"{path.relative_to(source)} knows the structure of ReeveAdmitted")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
