# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of operations for tests from outside: read as the build reads it, so that what is added there is there here.

    OPERATIONS["agents.get"]                          a completed row
    rest(operation, params)                           (method, path, body, headers) of a request
    command(operation, params, folder)                the words of reevectl, or None
    judge(method, path, answer)                       faults of an answer against its schema
"""

import functools
import glob
import hashlib
import json
import os
import re
import sys
import urllib.parse

SOURCE = os.environ.get("REEVE_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(SOURCE, "host", "operations"))
sys.path.insert(0, os.path.join(SOURCE, "host", "base"))
sys.dont_write_bytecode = True
from generator.instances import Instances  # noqa: E402
from generator.schemas import parameters_of  # noqa: E402
from generator.table import Table  # noqa: E402
from schema_compile import canonical  # noqa: E402

TABLE = Table(glob.glob(os.path.join(SOURCE, "host", "operations", "*.json")))
OPERATIONS = {operation["name"]: operation for operation in TABLE.operations}
JUDGE = Instances(TABLE.schemas, closed=True)
BOUNDARY = "reeve-test-boundary"


def has(operation, flag):
    return flag in operation["flags"]


def parameters(operation):
    """Schemas of all parameters by name."""
    return parameters_of(TABLE, operation)["properties"]


def is_json(operation):
    return operation["result"].get("media", "application/json") == "application/json"


# ---- finding, judging ----

@functools.cache
def routes():
    """(pattern, method, operation), those without members first."""
    rows = []
    for operation in TABLE.operations:
        for path in operation["paths"]:
            pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path))
            rows.append((pattern.count("[^/]+"), re.compile(pattern), operation["method"], operation))
    return [row[1:] for row in sorted(rows, key=lambda row: row[0])]


@functools.cache
def find_path(method, path):
    return next((o for pattern, m, o in routes() if m == method and pattern.fullmatch(path)), None)


def find(method, target):
    """The operation that a request asks for, or None."""
    return find_path(method, target.split("?")[0])


def judge_result(operation, value):
    return list(JUDGE.faults(value, operation["result"]["schema"]))


def judge(method, target, answer):
    """Faults of an answer of REST against the schema of what was asked, or of a problem."""
    operation = find(method, target)
    media = (answer.headers["Content-Type"] or "").split(";")[0]
    if operation is None or method == "HEAD":
        return []
    if answer.status < 400 or str(answer.status) in operation["result"].get("also", {}):
        if media != "application/json" or operation["result"]["schema"] is None:
            return []
        return judge_result(operation, answer.json)
    if media == "application/problem+json":
        # a header has no pointer
        placed = answer.json.get("errors") or answer.json.get("detail", "").startswith("an idempotency key")
        nowhere = ["a 400 that names no place"] if answer.status == 400 and not placed else []
        return nowhere + list(JUDGE.faults(answer.json, TABLE.schemas["Problem"]))
    if has(operation, "compatible") and media == "application/json":
        return list(JUDGE.faults(answer.json, TABLE.schemas["OpenAIError"]))
    return [f"an error of type {media}"]


# ---- asking ----

def text_of(value):
    return value if isinstance(value, str) else json.dumps(value)


def rest(operation, params):
    """(method, path, body, headers)"""
    path, body, query = operation["paths"][0], {}, {}
    for name, value in params.items():
        if name in operation["path"]:
            path = path.replace("{" + name + "}", urllib.parse.quote(text_of(value), safe=""))
        elif name in operation["query"]:
            query[name] = text_of(value)
        else:
            body[name] = value
    if query:
        path += "?" + urllib.parse.urlencode(query)
    if has(operation, "multipart"):
        return operation["method"], path, form(body), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if "body" not in operation:
        return operation["method"], path, None, {}
    return operation["method"], path, canonical(body).encode(), {"Content-Type": "application/json"}


def form(members):
    parts = []
    for name, value in members.items():
        more = '; filename="example.md"\r\nContent-Type: text/markdown' if name == "file" else ""
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text_of(value)}\r\n')
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def command(operation, params, folder):
    """The words of reevectl that ask for it; None when it has none."""
    cli = operation.get("cli")
    if cli is None:
        return None
    values = {name: ",".join(v) if isinstance(v, list) and all(isinstance(t, str) for t in v) else text_of(v) for name, v in params.items()}
    if has(operation, "multipart"):
        with open(os.path.join(folder, "example.md"), "w", encoding="utf-8", newline="") as file:
            file.write(values["file"])
        values["file"] = file.name
    for name in secrets(operation) & set(values):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(values[name] + "\n")
        values[name] = file.name
    words = [w for w in (cli["noun"], cli["verb"]) if w] + [values[name] for name in cli["args"] if name in values]
    for name, value in values.items():
        if name not in cli["args"]:
            words += [f"--{name.replace('_', '-')}", value]
    return words


def secrets(operation):
    """Members that no digest may give away."""
    return {name for name, schema in parameters(operation).items() if TABLE.resolve(schema).get("writeOnly")}


def digest(operation, params, door):
    """What the ledger must say that was asked for: the same from every door, but for a file's name; nothing of secrets."""
    params = {name: value for name, value in params.items() if name not in secrets(operation)}
    if has(operation, "compatible") and "body" in operation:
        return hashlib.sha256(b"{}" + canonical(params).encode()).hexdigest()
    if not has(operation, "multipart") or door == "bus":
        return hashlib.sha256(canonical(params).encode()).hexdigest()
    named = {**params, "file": "example.md"}
    return hashlib.sha256(canonical(named).encode() + hashlib.sha256(params["file"].encode()).digest() + b"text/markdown\0").hexdigest()
