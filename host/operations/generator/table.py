# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the nouns, completes their short forms and refuses an incomplete table."""

import json
import os
import re

from .instances import Instances
from .schemas import parameters_of

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
    "makes-in-workspace": "MAKES",
    "narrows": "NARROWS",
    "loopback": "LOOPBACK",
    "runs": "RUNS",
}
MEMBERS = {
    "name", "summary", "description", "class", "permission", "action", "route", "aliases", "path", "query", "body",
    "required_body", "media", "identifiers", "resource", "flags", "list", "result", "function", "again", "remains", "dbus", "dbus_aliases", "cli", "cli_aliases",
    "examples", "unique", "sums", "states",
}
# must stand in every row, and not be empty; permission may be null, for none beyond authentication
NEEDED = ("name", "summary", "class", "permission", "action", "route", "function", "result", "examples")
NOUN = ("noun", "summary", "schemas", "operations")
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
        self.nouns, self.schemas, self.operations, self.files = [], {}, [], {}
        for path in sorted(paths):
            self.read(path)
        self.operations.sort(key=lambda operation: operation["name"])
        self.check_refs()
        self.check_schemas()
        self.check_unique()
        for operation in self.operations:
            self.check_operation(operation)

    def read(self, path):
        file = os.path.basename(path)
        with open(path, encoding="utf-8") as source:
            try:
                noun = json.load(source, object_pairs_hook=unique)
            except (ValueError, TableError) as error:
                raise TableError(f"{file}: {error}") from error
        for member in NOUN:
            if member not in noun:
                raise TableError(f"{file}: {member} is missing")
        self.add(file, noun)

    def add(self, file, noun):
        if file != noun["noun"] + ".json":
            raise TableError(f"{file}: noun: it is called {noun['noun']}")
        self.nouns.append(noun)
        for name, schema in noun["schemas"].items():
            if name in self.schemas:
                raise TableError(f"{file}: schemas: {name} is there twice")
            self.schemas[name] = schema
            self.files[name] = file
        for operation in noun["operations"]:
            try:
                self.operations.append(complete(operation, noun))
            except TableError as error:
                raise TableError(f"{file}: {operation.get('name', 'an operation without name')}: {error}") from error

    def states_of(self, operation):
        """Names of the operations that show what this one changes, of which the first counts whose path it is told: those that its row names (of what it makes,
        whose name is in its result, there is one afterwards), or that of its own path, or of the nearest above it that is of one thing."""
        if "states" in operation:
            return operation["states"]
        state = self.state_of(operation)
        return [state] if state else []

    def state_of(self, operation):
        if operation["class"] != "effect" or {"async", "admits-itself"} & set(operation["flags"]):
            return None
        path = operation["paths"][0]
        if operation["method"] == "POST":
            path = path.rpartition("/")[0]
            if "{" not in path:
                return None
        while True:
            for other in self.operations:
                if other["class"] == "read" and other["method"] == "GET" and path in other["paths"] and "items" not in other["result"]:
                    return None if "async" in other["flags"] else other["name"]
            path = path.rpartition("/")[0]
            if "{" not in path:
                return None

    def resolve(self, schema):
        """The schema that a $ref means."""
        return self.schemas[schema["$ref"][len(REF):]] if "$ref" in schema else schema

    def check_refs(self):
        owners = [(f"{self.files[s]}: schemas: {s}", self.schemas[s]) for s in self.schemas]
        for owner, schema in owners + [(f"{o['noun']}.json: {o['name']}", o) for o in self.operations]:
            for ref in refs(schema):
                if not ref.startswith(REF) or ref[len(REF):] not in self.schemas:
                    raise TableError(f"{owner}: {ref} leads nowhere")

    def check_schemas(self):
        """A keyword that is misspelt would judge nothing."""
        judge = Instances(self.schemas)
        for name, schema in self.schemas.items():
            for fault in judge.check_keywords(schema):
                raise TableError(f"{self.files[name]}: schemas: {name}{fault}")

    def check_unique(self):
        """A name, an action, a function and a route mean one operation."""
        seen = {}
        for operation in self.operations:
            here = [("name", operation["name"]), ("action", operation["action"]), ("function", operation["function"])]
            here += [("route", f"{operation['method']} {re.sub(r'{[^}]*}', '{}', path)}") for path in operation["paths"]]
            for kind, value in here:
                if (kind, value) in seen:
                    raise TableError(f"{operation['noun']}.json: {operation['name']}: {kind}: {value} is there twice, also in "
                                     f"{seen[kind, value]}")
                seen[kind, value] = operation["name"]

    def check_operation(self, operation):
        """What can be judged only when all schemas are known."""
        where = f"{operation['noun']}.json: {operation['name']}: "
        try:
            parameters = parameters_of(self, operation)
            self.check_names(operation, parameters["properties"])
            self.check_examples(operation, parameters)
        except TableError as error:
            raise TableError(where + str(error)) from error
        except ValueError as error:
            raise TableError(f"{where}body: {error}") from error

    def check_names(self, operation, parameters):
        """Members that name parameters name ones that there are."""
        named = [("resource", [(operation.get("resource") or {}).get("id")]), ("unique", operation.get("unique", []))]
        for member, cli in clis(operation):
            named.append((member + ".args", [a for a in cli["args"] if a != "tenant_id"] + [cli.get("generate")]))
        for member, bus in methods(operation):
            named.append((member + ".in", [a[2] for a in bus["in"] if a[2] != "tenant_id"] + [bus.get("generate")]))
        for name in operation.get("states", []):
            shown = [o for o in self.operations if o["name"] == name and o["class"] == "read" and "async" not in o["flags"]]
            known = set(parameters) | set(self.resolve(operation["result"]["schema"] or {}).get("properties", {}))
            if operation["paths"][0].startswith("/api/v1/me/"):
                known.add("user_id")
            if operation["class"] != "effect" or "async" in operation["flags"] or not shown or set(shown[0]["path"]) - known:
                raise TableError(f"states: {name} shows nothing that this one changes")
        for member, names in named:
            for name in names:
                if name is not None and name not in parameters:
                    raise TableError(f"{member}: {name} is no parameter")
        judge = Instances(self.schemas)
        for name, schema in [("result", operation["result"]["schema"]), *parameters.items()]:
            for fault in judge.check_keywords(schema or {}):
                raise TableError(f"{name}{fault}")

    def check_examples(self, operation, parameters):
        """An example is a request that is valid and an answer that is."""
        judge = Instances(self.schemas, closed=True)
        for number, example in enumerate(operation["examples"], 1):
            if set(example) - {"status"} != {"summary", "request", "response"} or not example["summary"]:
                raise TableError(f"examples: number {number} needs summary, request and response, and nothing else but a status")
            for fault in judge.faults(example["request"], parameters):
                raise TableError(f"examples: number {number}: request{fault}")
            result = operation["result"]["schema"]
            if "status" in example:
                if example["status"] not in failures(operation):
                    raise TableError(f"examples: number {number}: status: {example['status']} is no refusal of this operation")
                result = self.schemas["OpenAIError" if "compatible" in operation["flags"] else "Problem"]
            if result is None and example["response"] is not None and not isinstance(example["response"], str):
                raise TableError(f"examples: number {number}: response: there is no body in JSON")
            for fault in judge.faults(example["response"], result) if result is not None else ():
                raise TableError(f"examples: number {number}: response{fault}")


def clis(operation):
    """(member, command) of every command line that means this operation. An argument tenant_id that is no parameter is the tenant to act in."""
    if "cli" in operation:
        yield "cli", operation["cli"]
    for alias in operation.get("cli_aliases", []):
        yield "cli_aliases", alias


def methods(operation):
    """(member, method) of every typed D-Bus method that means this operation; an argument tenant_id as with commands."""
    if "dbus" in operation:
        yield "dbus", operation["dbus"]
    for alias in operation.get("dbus_aliases", []):
        yield "dbus_aliases", alias


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
    """One operation with every short form written out; TableError when something is missing."""
    operation = dict(raw)
    if unknown := set(raw) - MEMBERS:
        raise TableError(f"unknown members {', '.join(sorted(unknown))}")
    for member in NEEDED:
        if member not in raw:
            raise TableError(f"{member} is missing")
        if not raw[member] and member != "permission":
            raise TableError(f"{member} is empty")
    operation["permission"] = raw["permission"]
    operation["noun"] = noun["noun"]
    if not re.fullmatch(r"[A-Z]+ /\S*", raw["route"]):
        raise TableError(f"route: {raw['route']} is not METHOD /path")
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
    for member in ("status", "description"):
        if not raw.get(member):
            raise TableError(f"result: {member} is missing")
    if "items" in raw:
        result["schema"] = {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": {"type": "array", "items": raw["items"]},
                "next_cursor": {"type": ["string", "null"], "description": "for the next page; null on the last"},
            },
        }
    if unknown := set(raw) - {"status", "schema", "items", "media", "description", "also"}:
        raise TableError(f"result: unknown members {', '.join(sorted(unknown))}")
    if "schema" not in result:
        raise TableError("result: schema is missing; null where there is no JSON")
    return result


def check(operation):
    noun = operation["noun"]
    if operation["class"] not in CLASSES:
        raise TableError(f"class: {operation['class']} is none of {', '.join(CLASSES)}")
    if operation["method"] not in METHODS:
        raise TableError(f"route: {operation['method']} is no method")
    if not re.fullmatch(noun + r"\.[a-z_]+", operation["name"]):
        raise TableError(f"name: it must begin with {noun}.")
    if not operation["function"].startswith(f"reeve_op_{noun}_"):
        raise TableError(f"function: it must begin with reeve_op_{noun}_")
    if "again" in operation and (not operation["again"].startswith(f"reeve_op_{noun}_") or "idempotency-key" not in operation["flags"]):
        raise TableError(f"again: it must begin with reeve_op_{noun}_, of an operation with the flag idempotency-key")
    if "remains" in operation and (not operation["remains"].startswith(f"reeve_op_{noun}_") or "identifiers" not in operation):
        raise TableError(f"remains: it must begin with reeve_op_{noun}_, of an operation with identifiers")
    if operation["permission"] is not None and not re.fullmatch(r"[a-z_]+:[a-z_]+", operation["permission"]):
        raise TableError(f"permission: {operation['permission']} is none")
    if unknown := set(operation["flags"]) - set(FLAGS):
        raise TableError(f"flags: {', '.join(sorted(unknown))} is none")
    for path in operation["paths"]:
        if sorted(re.findall(r"\{([^}]*)\}", path)) != sorted(operation["path"]):
            raise TableError(f"route: {path} does not name the members of path")
    if "body" not in operation and operation["method"] in ("POST", "PUT", "PATCH"):
        raise TableError(f"body: {operation['method']} without one")
    for parameter in operation.get("identifiers", {}):
        if parameter not in operation["path"]:
            raise TableError(f"identifiers: {parameter} is not in the path")
    if "public" in operation["flags"] and operation["class"] != "probe":
        raise TableError("flags: only a probe is public")
    if "loopback" in operation["flags"] and (operation["class"] != "probe" or operation["permission"] is None):
        raise TableError("flags: only a probe with a permission is open to this machine")
    if operation["class"] != "probe" and operation["permission"] is None and "platform-admin" in operation["flags"]:
        raise TableError("permission: the platform admin's operations need one")
    if operation["class"] == "effect" and not (operation.get("resource") or {}).get("type"):
        raise TableError("resource: the intent of an effect says what it is about")


def failures(operation):
    """Statuses of the refusals and failures that callers must expect."""
    flags = operation["flags"]
    statuses = {503}
    if "public" not in flags:
        statuses |= {401, 404, 429}  # 404: of the tenant in the header, too
        statuses |= {403} if operation["permission"] or operation["class"] == "effect" else set()
    if operation["path"] or operation["query"] or "body" in operation:
        statuses.add(400)
    if "body" in operation:
        statuses |= {413} if "compatible" in flags else {413, 415}
    if "public" in flags:
        statuses.add(404)
    if operation["class"] == "effect":
        statuses |= {502, 504} if "compatible" in flags else {409}
    if operation.get("sums"):
        statuses.add(409)  # it sums up what the tenant's log has, which was damaged
    if "idempotency-key" in flags:
        statuses.add(422)
    return sorted(statuses)


def check_result(operation):
    result = operation["result"]
    if (result["status"] == 204) != (result["schema"] is None and "media" not in result):
        raise TableError("result: 204, and only 204, has no schema and no media")
