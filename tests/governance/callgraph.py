# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who refers to whom, read from the built objects: calls, addresses that are taken (callbacks), and functions named in constant data.

    graph = Graph(build / "host")
    graph.callers("reeve_tool_call")      {(object, function), …}
    graph.reach(start, stop)              everything that is reached from a function
"""

import collections
import pathlib
import re
import subprocess

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
LOCAL = re.compile(r"<([A-Za-z_][A-Za-z0-9_.$]*)>$")
RELOCATION = re.compile(r"^\s*([0-9a-f]+):? +R_\S+\s+(\S+?)([+-]0x[0-9a-f]+)?$")
SYMBOL = re.compile(r"^([0-9a-f]+) (.{7}) (\S+)\s+([0-9a-f]+)(?: \.\w+)? (\S+)$")
OTHER = ("*", ".debug", ".eh_frame", ".text", ".init", ".fini", "asan", ".rela")


def objdump(options, path):
    return subprocess.run(["objdump", *options, str(path)], check=True, capture_output=True, text=True).stdout.splitlines()


class Object:
    """One object file: its functions, and what each refers to by name."""

    def __init__(self, path):
        self.path = path
        self.source = path.name.removesuffix(".o")
        self.symbols = collections.defaultdict(list)  # section -> [(start, end, name)]
        self.functions, self.globals = set(), set()
        self.edges = collections.defaultdict(set)
        self.read_symbols()
        self.read_code()
        self.read_data()

    def read_symbols(self):
        for line in objdump(["-t"], self.path):
            if (found := SYMBOL.match(line)) is None:
                continue
            start, flags, section, size, name = found.groups()
            if section.startswith("*") or int(size, 16) == 0:
                continue
            self.symbols[section].append((int(start, 16), int(start, 16) + int(size, 16), name))
            if "F" in flags:
                self.functions.add(name)
                if flags[0] != "l":
                    self.globals.add(name)

    def name_at(self, section, place):
        return next((name for start, end, name in self.symbols[section] if start <= place < end), None)

    def resolve(self, target, addend, pc):
        """The symbol that a relocation means: by its name, or by section and place (in code, four bytes short)."""
        if target not in self.symbols:
            return target
        return self.name_at(target, int(addend or "0", 16) + (4 if pc else 0))

    def read_code(self):
        function = None
        for line in objdump(["-dr", "--no-show-raw-insn"], self.path):
            if found := FUNCTION.match(line):
                function = found.group(1)
            elif found := RELOCATION.match(line):
                self.add(function, self.resolve(found.group(2), found.group(3), "PC32" in line or "PLT32" in line))
            elif found := LOCAL.search(line):
                self.add(function, found.group(1))

    def read_data(self):
        section = None
        for line in objdump(["-r"], self.path):
            if line.startswith("RELOCATION RECORDS FOR"):
                section = line.split("[")[1].split("]")[0]
                section = None if section.startswith(OTHER) else section
            elif section and (found := RELOCATION.match(line)):
                owner = self.name_at(section, int(found.group(1), 16))
                self.add(owner, self.resolve(found.group(2), found.group(3), False))

    def add(self, owner, name):
        if owner and name and owner != name:
            self.edges[owner].add(name)


class Graph:
    """All objects below a folder. A function is (object, name), so that static ones of the same name differ."""

    def __init__(self, folder):
        self.objects = [Object(path) for path in sorted(pathlib.Path(folder).rglob("*.o"))]
        self.homes = {name: o for o in self.objects for name in o.globals}
        # constant data of other objects, such as the table of operations, is gone through by its name too
        for o in self.objects:
            for section, symbols in o.symbols.items():
                for _start, _end, name in symbols:
                    self.homes.setdefault(name, o)

    def targets(self, node):
        found, name = node
        for other in found.edges.get(name, ()):
            if other in found.edges or other in found.functions:
                yield (found, other)
            elif other in self.homes:
                yield (self.homes[other], other)
            else:
                yield (None, other)

    def callers(self, name):
        """Where a name is referred to: its own definition excepted."""
        return {(o, f) for o in self.objects for f, names in o.edges.items() if name in names and name not in o.functions}

    def reach(self, start, stop):
        """Names that are reached from a function, not going on where stop (node) says so."""
        seen, todo = {start}, [start]
        while todo:
            node = todo.pop()
            if node[0] is None or (node != start and stop(node)):
                continue
            for other in self.targets(node):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen
