#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the plugins' modules into the installation byte for byte: install_pinned.py FOLDER ID MODULE [ID MODULE]...

Meson rewrites the run path of what it installs (and may strip it), but the host trusts only the bytes whose digests were compiled
into it. Runs after Meson's own installation; FOLDER is the plugins' folder without DESTDIR.
"""

import os
import shutil
import sys


def main(folder, rest):
    destdir = os.environ.get("DESTDIR", "")
    for plugin_id, module in zip(rest[::2], rest[1::2]):
        target = os.path.join(folder, plugin_id, os.path.basename(module))
        if destdir:
            target = os.path.join(destdir, target.lstrip("/"))
        # a new file in place of the old one: a running host keeps what it has loaded
        shutil.copyfile(module, target + ".new")
        os.chmod(target + ".new", 0o755)
        os.replace(target + ".new", target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
