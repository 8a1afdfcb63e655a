# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the table as static rows with compiled schemas, and the prototypes of its functions."""

from .schema_c import Writer, text
from .schemas import parameters_of, places_of
from .table import FLAGS

HEAD = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n/* Generated from host/operations/<noun>.json; do not edit. */\n"


def header(table):
    lines = [HEAD + '#pragma once\n\n#include "operations/call.h"\n#include "operations/services.h"\n\nG_BEGIN_DECLS\n']
    remains = set()
    for operation in table.operations:
        lines.append(f"void {operation['function']} (ReeveCall *call, ReeveServices *services);")
        if "again" in operation:
            lines.append(f"gboolean {operation['again']} (ReeveCall *call, ReeveServices *services, GError **error);")
        if "remains" in operation:
            remains.add(operation["remains"])
    for function in sorted(remains):
        lines.append(f"gboolean {function} (ReeveCall *call, ReeveServices *services, const char *collection, const char *id,\n"
                     "    gboolean *exists, GError **error);")
    lines.append("\nextern const guint reeve_operations_length;\n\nG_END_DECLS\n")
    return "\n".join(lines)


def source(table):
    writer = Writer(table)
    rows = [row(table, writer, operation) for operation in table.operations]
    lines = [HEAD + '#include "operation-functions.h"\n', writer.compiler.text()] + writer.lines
    lines.append("\nconst ReeveOperation reeve_operations[] = {")
    lines += rows + ["  { .name = NULL }\n};\n", f"const guint reeve_operations_length = {len(rows)};\n"]
    return "\n".join(lines)


def row(table, writer, operation):
    parameters = [f"{{ {text(n)}, REEVE_PARAMETER_{place}, '{kind}', {'TRUE' if required else 'FALSE'}, {'TRUE' if secret else 'FALSE'} }}"
                  for n, place, kind, required, secret in places_of(table, operation)]
    identifiers = [identifier(p, c) for p, c in operation.get("identifiers", {}).items()]
    resource = operation.get("resource") or {}
    result = operation["result"]["schema"]
    members = {
        "name": text(operation["name"]),
        "summary": text(operation["summary"]),
        "klass": "REEVE_CLASS_" + operation["class"].upper(),
        "flags": " | ".join("REEVE_OPERATION_" + FLAGS[f] for f in operation["flags"]) or "REEVE_OPERATION_NONE",
        "permission": text(operation["permission"]) if operation["permission"] else "NULL",
        "action": text(operation["action"]),
        "method": text(operation["method"]),
        "path": text(operation["paths"][0]),
        "aliases": writer.array("words", "char *const", [text(p) for p in operation["paths"][1:]]) if operation["paths"][1:] else "NULL",
        "parameters": writer.array("places", "ReeveParameter", parameters, "{ NULL }"),
        "identifiers": writer.array("identifiers", "ReeveIdentifier", identifiers, "{ NULL }"),
        "resource_type": text(resource["type"]) if resource.get("type") else "NULL",
        "resource_parameter": text(resource["id"]) if resource.get("id") else "NULL",
        "success_status": str(operation["result"]["status"]),
        "schema": writer.schema(parameters_of(table, operation)),
        "result": writer.schema(result) if result else "NULL",
        "func": operation["function"],
        "again": operation.get("again", "NULL"),
        "remains": operation.get("remains", "NULL"),
        "states": writer.array("words", "char *const", [text(name) for name in table.states_of(operation)]),
        "needs_body": "TRUE" if operation.get("body") and operation.get("required_body", True) else "FALSE",
        "takes_body": "TRUE" if operation.get("body") else "FALSE",
    }
    return "  { " + ",\n    ".join(f".{name} = {value}" for name, value in members.items()) + " },"


def identifier(parameter, collection):
    platform = collection.startswith("@")
    return f"{{ {text(parameter)}, {text(collection.lstrip('@'))}, {'TRUE' if platform else 'FALSE'} }}"
