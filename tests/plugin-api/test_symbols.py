# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libreeve-plugin-1 exports, what its map lists, what its headers declare and what is documented are the same."""

import glob
import os
import re
import subprocess
import unittest

TOP = os.environ["REEVE_SOURCE_DIR"]
BUILD = os.environ["REEVE_BUILD_DIR"]
API = os.path.join(TOP, "plugin-api")
LIBRARY = os.path.join(BUILD, "plugin-api", "libreeve-plugin-1.so.0")

DECLARED = re.compile(
    r"^REEVE_AVAILABLE_IN_(\d+)_(\d+)\s+"
    r"(?:G_DECLARE_\w+ \(\w+, (?P<type>\w+),|(?P<head>[^;(]*?)(?P<name>\w+) \((?P<parameters>[^;]*)\)[^;]*;)",
    re.M | re.S,
)
BLOCK = re.compile(r"/\*\*\n \* (\w+):(?: \(\w+\))*(.*?)\*/", re.S)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def headers():
    return sorted(path for path in glob.glob(API + "/*.h") if "REEVE_AVAILABLE" in read(path))


def declarations():
    """name -> (version, does it return something, names of its parameters or None for a type)."""
    found = {}
    for path in headers():
        for match in DECLARED.finditer(re.sub(r"\s+G_GNUC_PRINTF \(\d, \d\)", "", read(path))):
            version = f"{match[1]}.{match[2]}"
            if match["type"]:
                found[match["type"] + "_get_type"] = (version, True, None)
                continue
            names = re.findall(r"(\w+)\s*(?:,|$)", re.sub(r"\([^()]*\)", "", match["parameters"]))
            head = match["head"].strip()
            found[match["name"]] = (version, head != "void", [n for n in names if n != "void"])
    return found


def mapped():
    """name -> version, as reeve-plugin-1.map lists them."""
    found = {}
    for node in re.finditer(r"^REEVE_PLUGIN_([\d.]+) \{(.*?)^\}", read(os.path.join(API, "reeve-plugin-1.map")), re.M | re.S):
        for name in re.findall(r"^\s+(reeve_\w+);", node[2], re.M):
            found[name] = node[1]
    return found


def documented():
    """name -> text of its documentation, in sources and headers."""
    found = {}
    for path in sorted(glob.glob(API + "/*.[ch]")):
        for match in BLOCK.finditer(read(path)):
            found[match[1]] = match[2]
    return found


class Symbols(unittest.TestCase):
    """Drift between library, map and headers."""

    maxDiff = None

    def test_every_public_header_is_in_the_umbrella(self):
        umbrella = re.findall(r'#include "([\w-]+\.h)"', read(os.path.join(API, "reeve-plugin-1.h")))
        self.assertEqual(sorted(umbrella), sorted(os.path.basename(path) for path in headers()))

    def test_map_lists_what_headers_declare(self):
        self.assertEqual(mapped(), {name: version for name, (version, _, _) in declarations().items()})

    def test_map_is_sorted(self):
        names = list(mapped())
        self.assertEqual(names, sorted(names))

    def test_library_exports_what_the_map_lists(self):
        lines = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout.splitlines()
        exported = dict(re.match(r"\S+ [TBDRV] (\w+)@@REEVE_PLUGIN_([\d.]+)$", line).groups() for line in lines if " A " not in line)
        self.assertEqual(exported, mapped())

    def test_library_needs_nothing_of_the_host(self):
        text = subprocess.run(["objdump", "-p", LIBRARY], check=True, capture_output=True, text=True).stdout
        needed = {name.split(".so")[0] for name in re.findall(r"NEEDED\s+(\S+)", text)}
        allowed = {"libglib-2.0", "libgobject-2.0", "libgio-2.0", "libjson-glib-1.0", "libm", "libc"}
        # what a sanitizer or a profiler adds is not the library's own
        foreign = {name for name in needed - allowed if not re.match(r"lib([atu]|ub)san$|libgcc_s$|ld-linux", name)}
        self.assertEqual(foreign, set())
        self.assertIn("libreeve-plugin-1.so.0", re.findall(r"SONAME\s+(\S+)", text))


class Documentation(unittest.TestCase):
    """Every symbol is documented: parameters, return value, since when."""

    def test_functions(self):
        texts = documented()
        for name, (version, returns, parameters) in declarations().items():
            if name.endswith("_get_type"):
                continue
            with self.subTest(name):
                text = texts.get(name)
                self.assertIsNotNone(text, "has no documentation")
                self.assertIn(f"\n *\n * Since: {version}\n", text)
                self.assertEqual(re.findall(r"^ \* @(\w+):", text, re.M), parameters)
                self.assertEqual(bool(re.search(r"^ \* Returns:", text, re.M)), returns)

    def test_types_and_constants(self):
        texts = documented()
        for path in headers():
            code = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
            names = set(re.findall(r"^typedef struct _\w+ (\w+);", code, re.M))
            names |= set(re.findall(r"^\} (\w+);", code, re.M))
            names |= set(re.findall(r"^typedef .*\(\*(\w+)\)", code, re.M))
            names |= set(re.findall(r"^struct _(\w+)", code, re.M))
            names |= set(re.findall(r"^G_DECLARE_\w+ \((\w+),", code, re.M))
            names |= {n for n in re.findall(r"^#define (REEVE_\w+)", code, re.M) if not re.match(r"REEVE_(TYPE|AVAILABLE)_|REEVE_ERROR$", n)}
            for name in sorted(names):
                with self.subTest(name):
                    self.assertIn(name, texts)
                    self.assertRegex(texts[name], r"\n \*\n \* Since: \d+\.\d+\n")

    def test_members_of_enumerations(self):
        texts = documented()
        for path in headers():
            code = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
            for body, name in re.findall(r"typedef enum\s*\{(.*?)\} (\w+);", code, re.S):
                members = re.findall(r"\bREEVE_\w+", re.sub(r"=[^,}]*", "", body))
                with self.subTest(name):
                    self.assertEqual(re.findall(r"^ \* @(\w+):", texts[name], re.M), members)

    def test_members_of_structures(self):
        texts = documented()
        for path in headers():
            code = re.sub(r"/\*< private >\*/.*?\n\}", "\n}", read(path), flags=re.S)
            code = re.sub(r"/\*.*?\*/", "", code, flags=re.S)
            bodies = re.findall(r"typedef struct\s*\{(.*?)\n\} (\w+);", code, re.S)
            bodies += [(body, name) for name, body in re.findall(r"^struct _(\w+)\s*\{(.*?)\n\};", code, re.M | re.S)]
            for body, name in bodies:
                members = re.findall(r"(?:\(\*(\w+)\) \([^;]*\)|(\w+)(?:\[\w+\])?);", body)
                with self.subTest(name):
                    self.assertEqual(re.findall(r"^ \* @(\w+):", texts[name], re.M), [a or b for a, b in members])
