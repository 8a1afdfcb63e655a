#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads host/operations/<noun>.json and writes everything that follows from them.

    generate.py --version V --output DIR NOUN.json…

writes operation-table.c, operation-functions.h, openapi.json, openapi-bytes.c, dbus-methods.c, dbus.xml, cli-commands.c,
reevectl.bash and reevectl-commands.roff into DIR, and ends with 1 and the reason when the table is incomplete.
"""

import argparse
import json
import os
import sys

from generator import cli, dbus, openapi, table_c
from generator.table import Table, TableError


def outputs(table, version):
    """Name and text of every output."""
    document = json.dumps(openapi.document(table, version), ensure_ascii=False, separators=(",", ":"))
    yield "operation-functions.h", table_c.header(table)
    yield "operation-table.c", table_c.source(table)
    yield "openapi.json", document
    yield "openapi-bytes.c", as_bytes("reeve_openapi", document.encode())
    yield "dbus.xml", dbus.xml(table)
    yield "dbus-methods.c", dbus.source(table)
    yield "cli-commands.c", cli.source(table)
    yield "reevectl.bash", cli.completion(table)
    yield "reevectl-commands.roff", cli.man(table)


def as_bytes(name, data):
    """A C array, for what is longer than a string literal may be."""
    rows = [", ".join(str(b) for b in data[i:i + 32]) for i in range(0, len(data), 32)]
    return (table_c.HEAD + '#include "operations/assets.h"\n\n' + f"const guint8 {name}_data[] = {{\n  " + ",\n  ".join(rows)
            + f"\n}};\n\nconst gsize {name}_length = {len(data)};\n")


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("nouns", nargs="+")
    given = parser.parse_args(words)
    try:
        table = Table(given.nouns)
        for name, text in list(outputs(table, given.version)):
            with open(os.path.join(given.output, name), "w", encoding="utf-8") as file:
                file.write(text)
    except (TableError, ValueError, KeyError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
