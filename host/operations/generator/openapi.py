# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the table as an OpenAPI 3.1 document."""

import json

from .schemas import body_of
from .table import REF, failures

PROBLEMS = {
    400: "The request is malformed", 401: "No or bad credentials", 403: "A permission is missing",
    404: "No such thing in the caller's tenant", 409: "The state forbids it, or it is still under way",
    413: "The body is too large", 415: "Wrong media type", 422: "The idempotency key belongs to another request",
    429: "Too many requests, or a budget is exhausted", 502: "The model's service answered with an error",
    503: "A queue is full; try again", 504: "The model's service took too long",
}


def document(table, version):
    paths = {}
    for operation in table.operations:
        for number, path in enumerate(operation["paths"]):
            paths.setdefault(path, {})[operation["method"].lower()] = describe(table, operation, number)
    shared = responses(json.dumps(paths))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reeve",
            "version": version,
            "summary": "A governed host for AI agents",
            "description": "Every call is authenticated, authorised, validated and recorded in the ledger.",
            "license": {"name": "LGPL-2.1-or-later", "url": "https://spdx.org/licenses/LGPL-2.1-or-later.html"},
        },
        "servers": [{"url": "/", "description": "this host"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": n["noun"], "description": n["summary"]} for n in table.nouns if n["operations"]],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas(table, json.dumps([paths, shared])),
            "responses": shared,
            "parameters": shared_parameters(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "an API key"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def schemas(table, text):
    """Those that something refers to: a body that only names one is written out in its place."""
    out = {}
    while found := {name: schema for name, schema in table.schemas.items() if name not in out and f'"{REF}{name}"' in text}:
        out.update(found)
        text += json.dumps(found)
    return dict(sorted(out.items()))


def responses(paths):
    """The shared answers that some operation refers to."""
    out = {}
    for status, words in PROBLEMS.items():
        schema = {"application/problem+json": {"schema": {"$ref": REF + "Problem"}}}
        out[f"Problem{status}"] = {"description": words, "content": schema}
        out[f"OpenAIError{status}"] = {"description": words, "content": {"application/json": {"schema": {"$ref": REF + "OpenAIError"}}}}
    return {name: answer for name, answer in out.items() if f'"#/components/responses/{name}"' in paths}


def shared_parameters():
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": False,
            "description": "the same key and request again get the same answer",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        "TenantId": {
            "name": "X-Tenant-ID", "in": "header", "required": False,
            "description": "the tenant to act in; other than one's own only for the platform admin",
            "schema": {"type": "string", "maxLength": 128},
        },
    }


def describe(table, operation, number):
    name = operation["name"]
    flags = operation["flags"]
    out = {
        "operationId": name if number == 0 else f"{name}.alias{number}",
        "summary": operation["summary"],
        "tags": [operation["noun"]],
    }
    notes = [operation.get("description", operation["summary"] + ".")]
    if unique := operation.get("unique"):
        notes.append(f"{', '.join(f'`{name}`' for name in unique)} must be new, else 409.")
    if operation["permission"]:
        notes.append(f"Needs the permission `{operation['permission']}`" + (" and the platform admin." if "platform-admin" in flags else "."))
    out["description"] = " ".join(notes)
    if parameters := list(parameters_of(table, operation)):
        out["parameters"] = parameters
    if "body" in operation:
        out["requestBody"] = request_body(table, operation)
    out["responses"] = answers(operation)
    if "public" in flags:
        out["security"] = []
    out["x-reeve-class"] = operation["class"]
    out["x-reeve-permission"] = operation["permission"]
    return out


def parameters_of(table, operation):
    for place in ("path", "query"):
        for name, schema in operation[place].items():
            bare = {k: v for k, v in schema.items() if k != "description"}
            description = table.resolve(schema).get("description", name.replace("_", " "))
            parameter = {"name": name, "in": place, "required": place == "path", "description": description, "schema": bare}
            yield with_examples(parameter, {f"example{n + 1}": {"summary": e["summary"], "value": e["request"][name]}
                                            for n, e in enumerate(operation["examples"]) if name in e["request"]})
    if "idempotency-key" in operation["flags"]:
        yield {"$ref": "#/components/parameters/IdempotencyKey"}
    if "public" not in operation["flags"]:
        yield {"$ref": "#/components/parameters/TenantId"}


def request_body(table, operation):
    media = {"schema": body_of(table, operation)}
    outside = set(operation["path"]) | set(operation["query"])
    examples = {}
    for number, example in enumerate(operation["examples"]):
        value = {k: v for k, v in example["request"].items() if k not in outside}
        examples[f"example{number + 1}"] = {"summary": example["summary"], "value": value}
    if examples:
        media["examples"] = examples
    return {"required": operation.get("required_body", True), "content": {operation["media"]: media}}


def shown(operation, status=None):
    """The examples of answers with that status: None for that of success."""
    return {f"example{n + 1}": {"summary": e["summary"], "value": e["response"]}
            for n, e in enumerate(operation["examples"]) if e.get("status") == status and e["response"] is not None}


def with_examples(media, examples):
    return {**media, "examples": examples} if examples else media


def answers(operation):
    result = operation["result"]
    answer = {"description": result["description"]}
    if result["schema"] is not None:
        answer["content"] = {"application/json": with_examples({"schema": result["schema"]}, shown(operation))}
        if "stream" in operation["flags"]:
            answer["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    elif "media" in result:
        kind = "object" if result["media"] == "application/json" else "string"
        answer["content"] = {result["media"]: with_examples({"schema": {"type": kind}}, shown(operation))}
    out = {str(result["status"]): answer}
    for status, description in result.get("also", {}).items():
        out[status] = {"description": description, "content": answer["content"]}
    kind = "OpenAIError" if "compatible" in operation["flags"] else "Problem"
    for status in failures(operation):
        if str(status) in result.get("also", {}):
            continue
        out[str(status)] = {"$ref": f"#/components/responses/{kind}{status}"}
        if examples := shown(operation, status):
            media = "application/json" if kind == "OpenAIError" else "application/problem+json"
            content = {media: {"schema": {"$ref": REF + kind}, "examples": examples}}
            out[str(status)] = {"description": PROBLEMS[status], "content": content}
    return out
