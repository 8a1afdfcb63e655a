#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts files into the program: embed.py OUTPUT.c FILE…"""

import os
import sys

MEDIA = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


def main():
    lines = ["/* SPDX-License-Identifier: LGPL-2.1-or-later */", "/* Generated; do not edit. */", '#include "operations/assets.h"', ""]
    rows = []
    for number, path in enumerate(sys.argv[2:]):
        with open(path, "rb") as file:
            data = file.read()
        lines.append(f"static const guint8 data_{number}[] = {{ {', '.join(str(b) for b in data)} }};")
        name = os.path.basename(path)
        rows.append(f'  {{ "{name}", "{MEDIA[os.path.splitext(name)[1]]}", data_{number}, sizeof data_{number} }},')
    lines += ["", "const ReeveAsset reeve_assets[] = {", *rows, "  { NULL, NULL, NULL, 0 }", "};", ""]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
