#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin interface of this tree beside those of released versions, as libabigail sees it: `abidiff.py BUILD FOLDER` writes a version's.

Two dumps: of the library, and of a program that names every structure and enumeration of the headers, for what is only reached by a pointer
is in no function's type."""

import gzip
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "plugin-api"))

import abi  # noqa: E402

# what plugins are not told of may change; what differs from one machine to the next is left out
DUMP = ["abidw", "--drop-private-types", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed", "--type-id-style", "hash"]
KINDS = ("library", "types")


def witness(texts):
    """A program with a function for each structure and each enumeration."""
    names = {}
    for text in texts:
        names |= {name: f"{name} *abi_{name} (void);" for name, _ in abi.structures(text)}
        names |= {name: f"{name} abi_{name} (void);" for name, _ in abi.enumerations(text)}
    lines = ["#include <reeve-plugin-1.h>"]
    for declaration in names.values():
        lines += [declaration, declaration[:-1] + " { return 0; }"]
    return "\n".join(lines) + "\n"


def build_types(folder, build=None, headers=None):
    """Compiles the witness with the headers of the build, or with those of a folder."""
    env = {**os.environ, "PKG_CONFIG_PATH": os.path.join(build or "", "meson-uninstalled")}
    words = ["pkg-config", "--cflags", "reeve-plugin-1"] if build else ["pkg-config", "--cflags", "gio-2.0", "json-glib-1.0"]
    flags = subprocess.run(words, env=env, check=True, capture_output=True, text=True).stdout.split()
    source, library = os.path.join(folder, "types.c"), os.path.join(folder, "types.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(witness(abi.sources()))
    own = ["-I", headers] if headers else []
    subprocess.run(["gcc", "-g", "-w", "-shared", "-fPIC", *own, *flags, source, "-o", library], check=True)
    return library


def find(kind, build, folder):
    if kind == "types":
        return build_types(folder, build)
    return os.path.join(build, "plugin-api", "libreeve-plugin-1.so.0")


def write(build, folder):
    with tempfile.TemporaryDirectory() as work:
        for kind in KINDS:
            headers = ["--headers-dir", os.path.join(TOP, "plugin-api")] if kind == "library" else []
            text = subprocess.run([*DUMP, *headers, find(kind, build, work)], check=True, capture_output=True).stdout
            with open(os.path.join(folder, kind + ".abi.gz"), "wb") as file:
                file.write(gzip.compress(text, mtime=0))


def compare(dump, library):
    """What changed since, but for what came along: "" where nothing did."""
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "dump.abi")
        with gzip.open(dump) as packed, open(path, "wb") as file:
            file.write(packed.read())
        done = subprocess.run(["abidiff", "--no-added-syms", path, library], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"abidiff ends with {done.returncode}\n{done.stdout}{done.stderr}"


if __name__ == "__main__":
    write(*sys.argv[1:])
