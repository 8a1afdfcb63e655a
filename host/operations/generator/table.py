# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the nouns, completes their short forms and refuses an incomplete table."""

import json
import os
import re

CLASSES = ("effect", "read", "probe")
FLAGS = {
    "public": "PUBLIC",
    "platform-admin": "PLATFORM_ADMIN",
    "async": "ASYNC",
    "stream": "STREAM",
    "idempotency-key": "IDEMPOTENCY",
    "compatible": "COMPATIBLE",
    "multipart": "MULTIPART",
    "admits-itself": "ADMITS_ITSELF",
}
MEMBERS = {
    "name", "summary", "description", "class", "permission", "action", "route", "aliases", "path", "query", "body",
    "required_body", "media", "identifiers", "resource", "flags", "list", "result", "function", "dbus", "cli", "examples",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGE = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50, "description": "most items of a page"},
    "cursor": {"type": "string", "maxLength": 1024, "description": "next_cursor of the page before"},
}
REF = "#/components/schemas/"


class TableError(Exception):
    """The table is incomplete or contradicts itself."""


class Table:
    """All nouns together: operations in the order of their names, shared schemas by name."""

    def __init__(self, paths):
        self.nouns, self.schemas, self.operations = [], {}, []
        for path in sorted(paths):
            with open(path, encoding="utf-8") as file:
                self.add(os.path.basename(path), json.load(file, object_pairs_hook=unique))
        self.operations.sort(key=lambda operation: operation["name"])
        self.check_refs()
        self.check_unique()

    def add(self, file, noun):
        if file != noun["noun"] + ".json":
            raise TableError(f"{file}: the noun is called {noun['noun']}")
        self.nouns.append(noun)
        for name, schema in noun["schemas"].items():
            if name in self.schemas:
                raise TableError(f"{file}: schema {name} is there twice")
            self.schemas[name] = schema
        for operation in noun["operations"]:
            try:
                self.operations.append(complete(operation, noun))
            except KeyError as error:
                raise TableError(f"{file}: {operation.get('name')}: no {error}") from error
            except TableError as error:
                raise TableError(f"{file}: {operation.get('name')}: {error}") from error

    def resolve(self, schema):
        """The schema that a $ref means."""
        return self.schemas[schema["$ref"][len(REF):]] if "$ref" in schema else schema

    def check_refs(self):
        for owner, schema in [(s, self.schemas[s]) for s in self.schemas] + [(o["name"], o) for o in self.operations]:
            for ref in refs(schema):
                if not ref.startswith(REF) or ref[len(REF):] not in self.schemas:
                    raise TableError(f"{owner}: {ref} leads nowhere")

    def check_unique(self):
        names, routes = set(), set()
        for operation in self.operations:
            routes_here = {(operation["method"], re.sub(r"\{[^}]*\}", "{}", p)) for p in operation["paths"]}
            if operation["name"] in names or routes & routes_here:
                raise TableError(f"{operation['name']}: the name or a route is there twice")
            names.add(operation["name"])
            routes |= routes_here


def unique(pairs):
    """An object of which no member is there twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TableError("a member is there twice: " + ", ".join(k for k, _ in pairs))
    return members


def refs(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for key, inner in value.items():
            if key not in ("examples", "const", "enum", "default"):
                yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def complete(raw, noun):
    """One operation with every short form written out; KeyError or TableError when something is missing."""
    operation = dict(raw)
    if unknown := set(raw) - MEMBERS:
        raise TableError(f"unknown members {', '.join(sorted(unknown))}")
    for member in ("name", "summary", "class", "action", "route", "function", "result", "examples"):
        if not raw[member] and member != "examples":
            raise TableError(f"{member} is empty")
    operation["permission"] = raw["permission"]
    operation["noun"] = noun["noun"]
    operation["method"], path = raw["route"].split(" ")
    operation["paths"] = [path] + raw.get("aliases", [])
    operation["flags"] = raw.get("flags", [])
    operation["path"] = {name: one(schema) for name, schema in raw.get("path", {}).items()}
    operation["query"] = dict(raw.get("query", {}))
    if raw.get("list"):
        operation["query"].update(PAGE)
    operation["result"] = complete_result(raw["result"])
    operation["media"] = raw.get("media", "application/json")
    check(operation)
    check_result(operation)
    return operation


def one(schema):
    """A path member: a description alone means an identifier."""
    if isinstance(schema, str):
        return {"type": "string", "minLength": 1, "maxLength": 128, "description": schema}
    return schema


def complete_result(raw):
    result = dict(raw)
    if "items" in raw:
        result["schema"] = {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": {"type": "array", "items": raw["items"]},
                "next_cursor": {"type": ["string", "null"], "description": "for the next page; null on the last"},
            },
        }
    if not isinstance(result.get("status"), int) or not result.get("description") or "schema" not in result:
        raise TableError("a result needs status, schema (or null) and description")
    return result


def check(operation):
    noun = operation["noun"]
    if operation["class"] not in CLASSES:
        raise TableError(f"class {operation['class']} is none of {', '.join(CLASSES)}")
    if operation["method"] not in METHODS:
        raise TableError(f"method {operation['method']}")
    if not re.fullmatch(noun + r"\.[a-z_]+", operation["name"]):
        raise TableError(f"the name must begin with {noun}.")
    if not operation["function"].startswith(f"reeve_op_{noun}_"):
        raise TableError(f"the function must begin with reeve_op_{noun}_")
    if operation["permission"] is not None and not re.fullmatch(r"[a-z]+:[a-z]+", operation["permission"]):
        raise TableError(f"permission {operation['permission']}")
    if unknown := set(operation["flags"]) - set(FLAGS):
        raise TableError(f"flags {', '.join(sorted(unknown))}")
    for path in operation["paths"]:
        if sorted(re.findall(r"\{([^}]*)\}", path)) != sorted(operation["path"]):
            raise TableError(f"{path} does not name the members of path")
    if "body" not in operation and operation["method"] in ("POST", "PUT", "PATCH"):
        raise TableError(f"{operation['method']} without body")
    for parameter in operation.get("identifiers", {}):
        if parameter not in operation["path"]:
            raise TableError(f"identifier {parameter} is not in the path")
    if "public" in operation["flags"] and operation["class"] != "probe":
        raise TableError("only a probe is public")


def check_result(operation):
    """Examples say what is wanted and what comes; a 204 has no body."""
    result = operation["result"]
    if (result["status"] == 204) != (result["schema"] is None and "media" not in result):
        raise TableError("204, and only 204, has no result")
    if not operation["examples"] and "media" not in result and operation["media"] == "application/json":
        raise TableError("no example")
