#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/configuration.md from data/reeve.schema.json: `describe_config.py SCHEMA.json OUT.md`. A test holds the two together."""

import json
import sys

HEAD = """# Configuration: reeve.yaml

<!-- written by host/base/describe_config.py from data/reeve.schema.json: change the schema, not this page -->

`reeve-host --config reeve.yaml` reads one YAML document. Over the built-in values lie, in this order, the profile (`--profile`, else
the key `profile`, else `dev`; `dev` and `enterprise` are built in, others are files in `profiles/`, and a profile that names another
under `profile` builds on it), the file, and the command line. Objects are merged, lists and values replaced.

- A key that does not exist, a wrong type or a bad value stops the start with exit code 78 and one line for each fault, with file, line and
  key. `--check-config` only checks; `--print-config` prints the effective values, each with where it came from, secrets masked.
- `${NAME}` anywhere in a value, and a value that is `env:NAME`, take the environment's value; `${NAME:-other}` has a fallback, `$${` is
  a plain `${`. A variable that is not set is a fault.
- Sizes are bytes, or numbers with B, kB, MB, GB, KiB, MiB, GiB; durations are seconds, or numbers with s, m, h, d.
- A key marked *planned* is checked like any other; setting it gives a warning, for its feature is not built yet.
- Settings of a plugin (`settings`) are held to the schema in its manifest; its README says what they mean.
- A plugin that cannot be used is left out, with a warning, and `reevectl plugins list` says why. Only where this page's keys name it
  (`store.plugin`, `llm.providers[].plugin`, `authentication.providers[].plugin`) is that a fault like the others: exit code 78.
- Logs are one JSON object a line on standard error: `time`, `level` (debug, info, notice, warning, error, critical), `message`,
  `domain`, and for whom the work is: `tenant_id`, `user_id`, `agent_id`, `run_id`, `session_id`, `trace_id`.
"""


def kind(schema):
    """What may stand there, in a few words."""
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " \\| ".join(kind(form) for form in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = []
    for name in types:
        if name == "array":
            items = schema["items"]
            words.append("list" if "properties" in items else f"list of {kind(items)}")
        elif name == "integer":
            words.append({"bytes": "size", "seconds": "duration"}.get(schema.get("x-reeve-unit"), "integer"))
        else:
            words.append(name)
    text = " \\| ".join(words)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        text += f", {low} to {high}"
    elif low is not None:
        text += f", from {low}"
    return text


def rows(schema, path, planned):
    """(key, type, default, text) of everything below an object."""
    for name, member in schema.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        here = planned or member.get("x-reeve-planned", False)
        if "properties" in member and "null" not in member["type"]:
            yield from rows(member, key, here)
            continue
        default = "" if "default" not in member else f"`{json.dumps(member['default'], ensure_ascii=False)}`"
        if name in schema.get("required", []):
            default = "*required*"
        text = member.get("description", "") + (" *(planned)*" if here else "")
        yield key, kind(member), default, text
        for more, suffix in ((member.get("items"), "[]"), (member.get("additionalProperties"), ".*")):
            if isinstance(more, dict) and "properties" in more:
                yield from rows(more, key + suffix, here)


def describe(schema):
    lines = [HEAD]
    for name, section in schema["properties"].items():
        lines.append(f"## {name}\n")
        lines.append(section["description"][0].upper() + section["description"][1:] + ("." if section["description"][-1] != "." else "") + "\n")
        lines += ["| key | type | default | |", "|---|---|---|---|"]
        inner = {"properties": {name: section}} if "properties" not in section else section
        found = list(rows(inner, "" if "properties" not in section else name, section.get("x-reeve-planned", False)))
        lines += [f"| `{key}` | {what} | {default} | {text} |" for key, what, default, text in found]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    source, target = sys.argv[1:3]
    with open(source, encoding="utf-8") as file:
        text = describe(json.load(file))
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
