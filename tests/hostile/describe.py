#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes tests/hostile/README.md from attacks.json: `describe.py > README.md`."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

HEAD = """<!-- SPDX-License-Identifier: LGPL-2.1-or-later; written by describe.py from attacks.json -->
# Hostile plugins

What plugins are known to try (`list.txt`, the norm: an item more is an item more to prove), and where each is proven. `attacks.json` is the table, `test_list.py` holds it to `list.txt`,
to the sources and to this page.

An attack runs in three forms. *Control*: free, in a process of its own, where it must succeed, for what does not succeed free proves nothing where it is refused; *strict* and *hardened*:
in a runner with that profile, loaded by the host's own code, where it must fail with exactly this error. The *twin* is no attack: what is permitted of the same kind, which must succeed in all
three forms. All of it runs as root, where a plugin has a user of its own, and as an ordinary user, who is the host's too: there no file's mode helps. Where a machine does not have what is
attacked (IPv6, x32) the control says so, and the refusal is tested all the same. What is named `scratch-` is tried where the plugin was granted `scratch`, a folder to write in, and nothing else.

`tests/run --suite hostile`; what needs a peer that breaks the protocol, or a whole host, is proven where the last column says.

| group | item | strict | hardened | twin | proven by |
|---|---|---|---|---|---|
"""


def word(value):
    return value if isinstance(value, str) else ", ".join(f"{code} ({user})" for user, code in value.items())


def answers(attacks, form):
    """`EACCES` where all attacks have the same answer, else each with its own."""
    codes = {word(a[form]) for a in attacks}
    return codes.pop() if len(codes) == 1 else ", ".join(f"`{a['name']}` {word(a[form])}" for a in attacks)


def attacks_of(item):
    """Those that are made with the grant of scratch behind the others."""
    return item.get("attacks", []) + item.get("scratch", {}).get("attacks", [])


def twins_of(item):
    return [part["twin"] for part in (item, item.get("scratch", {})) if "twin" in part]


def row(item):
    attacks = attacks_of(item)
    proof = ["`" + "`, `".join(a["name"] for a in attacks) + "`"] if attacks else []
    proof += ["`" + test.replace("|", "\\|") + "`" for test in item.get("tests", [])]
    proof += [item["note"]] if "note" in item else []
    cells = [item["group"], item["item"], answers(attacks, "strict") if attacks else "", answers(attacks, "hardened") if attacks else "",
             "`" + "`, `".join(twins_of(item)) + "`" if attacks else "", "; ".join(proof)]
    return "| " + " | ".join(cells) + " |\n"


def read():
    with open(os.path.join(HERE, "attacks.json"), encoding="utf-8") as file:
        return json.load(file)


def describe():
    return HEAD + "".join(row(item) for item in read())


if __name__ == "__main__":
    sys.stdout.write(describe())
