# SPDX-License-Identifier: LGPL-2.1-or-later
"""Of an operation: the schema of all its parameters in one object, and their places."""


def body_of(table, operation):
    """The body's schema, or None; its members are closed except on compatible doors."""
    if "body" not in operation:
        return None
    body = dict(table.resolve(operation["body"]))
    if "compatible" not in operation["flags"]:
        body.setdefault("additionalProperties", False)
    return body


def parameters_of(table, operation):
    """One schema for path, query and body members together, as a call holds them."""
    body = body_of(table, operation) or {}
    properties = dict(operation["path"])
    properties.update(operation["query"])
    clash = set(properties) & set(body.get("properties", {}))
    if clash:
        raise ValueError(f"{', '.join(sorted(clash))} is in path or query and in the body")
    properties.update(body.get("properties", {}))
    schema = {"type": "object", "properties": properties, "required": list(operation["path"]) + body.get("required", [])}
    if "minProperties" in body:
        schema["minProperties"] = body["minProperties"] + len(operation["path"])
    if "compatible" not in operation["flags"]:
        schema["additionalProperties"] = False
    return schema


def letter(table, schema):
    """How the text of a path or query member is read: s, i, n or b."""
    kind = table.resolve(schema).get("type", "string")
    return {"integer": "i", "number": "n", "boolean": "b"}.get(kind, "s")


def places_of(table, operation):
    """(name, place, type letter, required, secret) of every parameter; `writeOnly` marks a secret one."""
    for name, schema in operation["path"].items():
        yield name, "PATH", letter(table, schema), True, False
    for name, schema in operation["query"].items():
        yield name, "QUERY", letter(table, schema), False, False
    body = body_of(table, operation) or {}
    for name, schema in body.get("properties", {}).items():
        yield name, "BODY", "j", name in body.get("required", []), table.resolve(schema).get("writeOnly", False)
