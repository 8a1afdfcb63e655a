#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes down the binary interface of libreeve-plugin-1, as the compiler sees it: `abi.py BUILD > plugin-api/reeve-plugin-1.abi`.

Prototypes of all functions, numbers of all enumerations, sizes and offsets of all structures whose members plugins reach."""

import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def sources():
    """The public headers without comments and private parts."""
    for path in sorted(glob.glob(os.path.join(TOP, "plugin-api", "*.h"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if "REEVE_AVAILABLE" in text:
            yield re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def functions(text):
    for match in re.finditer(r"^REEVE_AVAILABLE_IN_\w+\s+((?!G_DECLARE)[^;]+);", text, re.M):
        yield re.sub(r"\s+", " ", match[1]).replace(" G_GNUC_CONST", "").strip()
    for name in re.findall(r"^G_DECLARE_\w+ \(\w+, (\w+),", text, re.M):
        yield f"GType {name}_get_type (void)"


def enumerations(text):
    for body, name in re.findall(r"typedef enum\s*\{(.*?)\} (\w+);", text, re.S):
        for member in re.findall(r"\bREEVE_\w+", re.sub(r"=[^,}]*", "", body)):
            yield name, member


def structures(text):
    bodies = re.findall(r"typedef struct\s*\{(.*?)\n\} (\w+);", text, re.S)
    bodies += [(body, name) for name, body in re.findall(r"^struct _(\w+)\s*\{(.*?)\n\};", text, re.M | re.S)]
    for body, name in bodies:
        yield name, [a or b for a, b in re.findall(r"(?:\(\*(\w+)\) \([^;]*\)|(\w+)(?:\[\d+\])?);", body)]


def program(texts):
    """A program that prints the numbers."""
    lines = ["#include <reeve-plugin-1.h>", "#include <stddef.h>", "#include <stdio.h>", "int main (void) {"]
    for text in texts:
        for name, member in enumerations(text):
            lines.append(f'printf ("enum {name} {member} %d\\n", (int) {member});')
        for name, members in structures(text):
            lines.append(f'printf ("struct {name} %zu\\n", sizeof ({name}));')
            lines += [f'printf ("struct {name}.{m} %zu+%zu\\n", offsetof ({name}, {m}), sizeof ((({name} *) 0)->{m}));' for m in members]
    return "\n".join(lines + ["return 0; }", ""])


def describe(build):
    texts = list(sources())
    env = {**os.environ, "PKG_CONFIG_PATH": os.path.join(build, "meson-uninstalled")}
    flags = subprocess.run(["pkg-config", "--cflags", "reeve-plugin-1"], env=env, check=True, capture_output=True, text=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "abi.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program(texts))
        # only headers are needed: the program calls nothing of the library
        subprocess.run(["cc", *flags, source, "-o", os.path.join(folder, "abi"), "-lgobject-2.0", "-lglib-2.0"], check=True)
        numbers = subprocess.run([os.path.join(folder, "abi")], check=True, capture_output=True, text=True).stdout.splitlines()
    prototypes = sorted({line for text in texts for line in functions(text)}, key=lambda line: re.search(r"(\w+) \(", line)[1])
    return "".join(line + "\n" for line in prototypes + numbers)


if __name__ == "__main__":
    sys.stdout.write("# Binary interface of libreeve-plugin-1 on 64-bit machines, written by tests/plugin-api/abi.py; held by test_headers.py.\n")
    sys.stdout.write(describe(sys.argv[1]))
