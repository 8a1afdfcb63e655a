# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of the house, each a function that yields findings for one file."""

import ast
import os
import re

from . import includes
from .ctext import CText, Nesting

FILE_LINES = 600
FUNCTION_LINES = 60
NESTING = 4

RULES = {
    "rooms": "includes go from right to left: " + " <- ".join(includes.ROOMS),
    "include": "an include names a file of its own folder, or room/file.h",
    "private": "a -private.h header is for its own folder",
    "pure": "host/runtime/decide.c knows no store, model, clock or socket",
    "file-size": f"a file has at most {FILE_LINES} lines",
    "function-size": f"a function has at most {FUNCTION_LINES} lines",
    "nesting": f"control structures nest at most {NESTING} deep",
    "prefix": "every function carries its file's prefix",
    "class": "one class per .c file",
    "spdx": "a source file begins with its SPDX line",
    "purpose": "a comment after the SPDX line says what the file is and why",
    "goto": "no goto",
    "vla": "no variable-length arrays, no alloca",
    "licence": "no licence text but ours",
    "unfinished": "nothing unfinished is committed",
    "waiver": "a waiver names a rule, gives a reason, and is needed",
}

SPDX = "SPDX-License-Identifier: LGPL-2.1-or-later"
WAIVER = re.compile(r"layers: allow ([a-z-]*)\s*:?\s*(.*)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# spelled in two parts so that this file does not contain what it looks for
FOREIGN = re.compile(r"(?<![AL])GP" r"L-[0-9]|GNU (Affero )?General Public Lic" r"ense|under the terms of the GN" r"U", re.I)
CLASS = {"G_DEFINE_TYPE", "G_DEFINE_FINAL_TYPE", "G_DEFINE_ABSTRACT_TYPE", "G_DEFINE_TYPE_WITH_CODE", "G_DEFINE_TYPE_WITH_PRIVATE"}
CLASS |= {"G_DEFINE_FINAL_TYPE_WITH_CODE", "G_DEFINE_FINAL_TYPE_WITH_PRIVATE", "G_DEFINE_ABSTRACT_TYPE_WITH_CODE", "G_DEFINE_INTERFACE"}
ALLOCA = {"alloca", "g_alloca", "g_alloca0", "g_newa", "g_newa0"}
TYPE_WORD = re.compile(r"^(g?char|g?u?int(8|16|32|64)?(_t)?|g?long|g?short|unsigned|signed|g?size(_t)?|gssize|ssize_t|g?float|g?double|guchar|gpointer|gboolean|bool|struct|void|[A-Z]\w*[a-z]\w*)$")


class Source:
    """A file of the tree: its path from the root, its text, and for C its parts."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.c = CText(text) if path.endswith((".c", ".h")) else None

    @property
    def lines(self):
        return self.text.split("\n")


def own_prefixes(path, paths):
    """The prefixes of that file taken alone; empty where the rule does not apply."""
    parts = path.split("/")
    stem = os.path.splitext(parts[-1])[0].replace("-", "_")
    if parts[0] == "plugin-api":
        return [stem]
    if parts[0] == "plugins":
        return [stem]
    if parts[0] != "host":
        return []
    if parts[1] == "operations":
        noun = "reeve_op_" + stem
        return [noun] if path[:-2] + ".json" in paths else [noun, "reeve_" + stem]
    if parts[1] == "api" and len(parts) > 3:
        door = parts[2]
        short = stem[len(door) + 1 :] if stem.startswith(door + "_") else stem
        return [f"reeve_{door}" if stem == door else f"reeve_{door}_{short}", f"reeve_{door}_{stem}"]
    return ["reeve_" + stem]


def wholes(path, paths):
    """The files of classes that one is a part of: runs-read.c is one of runs.c where both share runs-private.h."""
    folder, name = os.path.split(path)
    words = os.path.splitext(name)[0].split("-")
    for n in range(len(words) - 1, 0, -1):
        whole = f"{folder}/{'-'.join(words[:n])}"
        if f"{whole}-private.h" in paths and f"{whole}.c" in paths:
            yield f"{whole}.c"


def prefixes(path, paths):
    """The prefixes that functions of that file may carry; empty where the rule does not apply."""
    own = own_prefixes(path, paths)
    return own + [p for whole in wholes(path, paths) for p in own_prefixes(whole, paths)] if own else own


def check_prefix(source, paths):
    allowed = prefixes(source.path, paths)
    for function in source.c.functions if allowed else []:
        if function.name == "main" and source.path.endswith(".c"):
            continue
        if not any(function.name == p or function.name.startswith(p + "_") for p in allowed):
            yield function.line, "prefix", f"{function.name} (): functions of this file begin with {allowed[0]}_", function.start


def check_sizes(source, _paths):
    count = source.c.lines if source.c else len(source.lines) - (1 if source.text.endswith("\n") else 0)
    if count > FILE_LINES:
        yield 1, "file-size", f"{count} lines, at most {FILE_LINES}", None
    if source.c:
        for function in source.c.functions:
            if function.lines > FUNCTION_LINES:
                yield function.line, "function-size", f"{function.name} (): {function.lines} lines, at most {FUNCTION_LINES}", function.start
    elif is_python(source):
        yield from check_python(source)


def check_python(source):
    for node in ast.walk(ast.parse(source.text, source.path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            count = node.end_lineno - node.lineno + 1
            if count > FUNCTION_LINES:
                yield node.lineno, "function-size", f"{node.name} (): {count} lines, at most {FUNCTION_LINES}", None


def check_nesting(source, _paths):
    for function in source.c.functions:
        nesting = Nesting(function.body)
        if nesting.deepest > NESTING:
            yield nesting.line, "nesting", f"{function.name} (): {nesting.deepest} deep, at most {NESTING}", function.start


def check_words(source, _paths):
    for token in source.c.every:
        if token.kind == "ident" and token.text == "goto":
            yield token.line, "goto", "goto", None
        elif token.kind == "ident" and token.text in ALLOCA:
            yield token.line, "vla", f"{token.text} ()", None
    for function in source.c.functions:
        yield from check_arrays(function)
    found = [t for t in source.c.code if t.text in CLASS]
    for token in found[1:] if source.path.endswith(".c") else []:
        yield token.line, "class", f"{token.text}: line {found[0].line} has defined one already", None


def check_arrays(function):
    """Declarations whose array bound names a variable."""
    body = function.body
    for i, token in enumerate(body):
        if token.text != "[" or i < 2 or body[i - 1].kind != "ident":
            continue
        start = i - 2
        while body[start].text == "*":
            start -= 1
        if body[start].kind != "ident" or not TYPE_WORD.match(body[start].text) or body[start - 1].text in (".", "->", "sizeof"):
            continue
        bound = []
        for inner in body[i + 1 :]:
            if inner.text == "]":
                break
            bound.append(inner)
        if any(t.text == "sizeof" for t in bound):
            continue
        names = [t.text for t in bound if t.kind == "ident" and re.search("[a-z]", t.text)]
        if names:
            yield token.line, "vla", f"{body[i - 1].text}[{names[0]}]", None


def check_header(source, _paths):
    """The SPDX line and, in C, the comment after it."""
    first = source.lines[:3]
    if source.c:
        if source.lines[0] != f"/* {SPDX} */":
            yield 1, "spdx", f"the first line is not /* {SPDX} */", None
        elif len(source.c.comments) < 2 or source.c.comments[1].line > 4:
            yield 2, "purpose", "no comment says what this file is and why", None
    elif not any(SPDX in line for line in first):
        yield 1, "spdx", f"no '{SPDX}' in the first three lines", None


def check_text(source, _paths):
    for number, line in enumerate(source.lines, 1):
        if FOREIGN.search(line):
            yield number, "licence", "text of another licence", None
    comments = source.c.comments if source.c else []
    for comment in comments:
        if UNFINISHED.search(comment.text):
            yield comment.line, "unfinished", UNFINISHED.search(comment.text).group(), None


def check_includes(source, tree):
    for directive in source.c.directives:
        parsed = includes.parse_include(directive) if directive.word == "include" else None
        finding = includes.judge(tree, source.path, *parsed) if parsed else None
        if finding:
            yield directive.line, finding[0], finding[1], None


def is_python(source):
    return source.path.endswith(".py") or source.text.startswith("#!/usr/bin/env python3")


class Waiver:
    """A visible exception: `layers: allow <rule>: reason` in a comment."""

    def __init__(self, line, end, rule, reason):
        self.line = line
        self.end = end
        self.rule = rule
        self.reason = reason
        self.used = False

    def covers(self, line, rule, start):
        if self.rule != rule:
            return False
        if rule in ("file-size", "spdx", "purpose"):
            return True
        return self.end in (line - 1, line) or (start is not None and start - 1 <= self.end <= line)


def waivers(source):
    """The waivers of a file, from its comments only."""
    if source.c:
        comments = [(c.line, c.text) for c in source.c.comments]
    else:
        comments = [(n, line) for n, line in enumerate(source.lines, 1) if line.lstrip().startswith(("#", "//"))]
    for line, text in comments:
        if match := WAIVER.search(text):
            reason = match.group(2).replace("*/", "").strip()
            yield Waiver(line, line + text.count("\n"), match.group(1), reason)
