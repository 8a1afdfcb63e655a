# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds the sources of a tree, applies the rules to them and reports."""

import os

from . import includes, rules

TOPS = ("plugin-api", "host", "plugins", "tests", "data", ".ci")
SKIP = {"node_modules", "__pycache__", "corpus", "build", ".git", "vendor"}
SUFFIXES = (".c", ".h", ".py", ".sh", ".mjs", ".js")


def is_source(folder, name):
    if name.endswith(SUFFIXES) or name == "meson.build":
        return True
    if "." in name:
        return False
    with open(os.path.join(folder, name), "rb") as file:
        return file.read(2) == b"#!"


def find(root):
    """Paths from the root of all files below the rooms, and of those the sources."""
    paths, sources = set(), []
    for top in TOPS:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f not in SKIP and not f.startswith("build"))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                paths.add(path)
                if is_source(folder, name):
                    sources.append(path)
    for name in sorted(os.listdir(root)):
        if name == "meson.build":
            sources.append(name)
    return paths, sources


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return rules.Source(path, file.read())


def check_file(source, paths, tree):
    """(line, rule, message, start) of everything wrong in one file."""
    checks = [rules.check_header, rules.check_sizes, rules.check_text]
    if source.c:
        checks += [rules.check_prefix, rules.check_nesting, rules.check_words]
    for check in checks:
        yield from check(source, paths)
    if source.c:
        yield from rules.check_includes(source, tree)


def judge_waivers(source, given):
    for waiver in given:
        if waiver.rule not in rules.RULES:
            yield waiver.line, f"no rule is called '{waiver.rule}'"
        elif not waiver.reason:
            yield waiver.line, f"allows {waiver.rule} without a reason"
        elif not waiver.used:
            yield waiver.line, f"allows {waiver.rule}, but nothing here breaks it"


def check(root):
    """Checks the tree; returns (findings, waivers, number of sources), findings as (path, line, rule, message)."""
    paths, names = find(root)
    sources = {path: read(root, path) for path in names}
    tree = includes.Tree(paths)
    findings, used = [], []
    impure = includes.judge_pure(tree, {p: s.c for p, s in sources.items() if s.c})
    for path, source in sources.items():
        given = list(rules.waivers(source))
        found = list(check_file(source, paths, tree)) + [(line, rule, text, None) for p, line, rule, text in impure if p == path]
        for line, rule, message, start in found:
            waiver = next((w for w in given if w.reason and w.covers(line, rule, start)), None)
            if waiver:
                waiver.used = True
            else:
                findings.append((path, line, rule, message))
        findings += [(path, line, "waiver", message) for line, message in judge_waivers(source, given)]
        used += [(path, w.line, w.rule, w.reason) for w in given if w.used]
    return sorted(findings), used, len(sources)
