# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiled schemas and constant arrays of the table's C source; the compiler of schemas is host/base/schema_compile.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "base"))

from schema_compile import SchemaCompiler, c_string  # noqa: E402

text = c_string


class Writer:
    """Collects constant arrays, and schemas that refer to the shared ones."""

    def __init__(self, table):
        self.lines = []
        self.count = 0
        self.compiler = SchemaCompiler("node", checks=False)
        self.compiler.root = {"components": {"schemas": table.schemas}}
        self.kept = []  # the compiler knows schemas by their identity, so none may be freed

    def array(self, kind, ctype, values, end="NULL"):
        self.count += 1
        name = f"{kind}_{self.count}"
        self.lines.append(f"static const {ctype} {name}[] = {{ {', '.join(values + [end])} }};")
        return name

    def schema(self, schema):
        """C expression of the address of a schema's node."""
        self.kept.append(schema)
        return self.compiler.node(schema, "")
