#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""JSON Schema (draft 2020-12) to C: constant ReeveSchemaNode data, so that nothing is parsed when the host starts.

The other producer of this form is schema-compile.c; a test holds the two to each other. As a program, `schema_compile.py SCHEMA.json
OUT.c NAME` writes `const ReeveSchemaNode *const NAME`.
"""

import json
import re
import sys

NUMBERS = {"minimum": "minimum", "maximum": "maximum", "exclusiveMinimum": "exclusive_minimum",
           "exclusiveMaximum": "exclusive_maximum", "multipleOf": "multiple_of"}
FORMATS = ["date-time", "date", "time", "uri", "uuid", "email", "hostname", "ipv4", "ipv6"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]

# group in the node: keyword -> (member, kind)
GROUPS = {
    "numeric": ("ReeveSchemaNumeric", {keyword: (member, "number") for keyword, member in NUMBERS.items()}),
    "string": ("ReeveSchemaString", {
        "minLength": ("min_length", "count"), "maxLength": ("max_length", "count"),
        "pattern": ("pattern", "text"), "format": ("format", "format")}),
    "array": ("ReeveSchemaArray", {
        "items": ("items", "node"), "prefixItems": ("prefix_items", "nodes"), "contains": ("contains", "node"),
        "unevaluatedItems": ("unevaluated_items", "node"), "minItems": ("min_items", "count"),
        "maxItems": ("max_items", "count"), "minContains": ("min_contains", "count"),
        "maxContains": ("max_contains", "count"), "uniqueItems": ("unique_items", "boolean")}),
    "object": ("ReeveSchemaObject", {
        "properties": ("properties", "members"), "required": ("required", "names"),
        "additionalProperties": ("additional_properties", "node"),
        "patternProperties": ("pattern_properties", "members"), "propertyNames": ("property_names", "node"),
        "unevaluatedProperties": ("unevaluated_properties", "node"),
        "dependentRequired": ("dependent_required", "dependencies"),
        "dependentSchemas": ("dependent_schemas", "members"), "minProperties": ("min_properties", "count"),
        "maxProperties": ("max_properties", "count")}),
    "logic": ("ReeveSchemaLogic", {
        "allOf": ("all_of", "nodes"), "anyOf": ("any_of", "nodes"), "oneOf": ("one_of", "nodes"),
        "not": ("negated", "node"), "if": ("condition", "node"), "then": ("consequence", "node"),
        "else": ("alternative", "node")}),
}


class SchemaError(ValueError):
    """The schema is wrong; the text says where."""


def canonical_number(value):
    """As ECMAScript writes it (RFC 8785); integers exactly."""
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0) - (len(digits) - len(digits.lstrip("0")))
    digits = digits.strip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def canonical(value):
    """RFC 8785."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return canonical_number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"


def c_string(text):
    """A C literal of any text without NUL."""
    out = []
    for byte in text.encode("utf-8"):
        if byte in b'"\\':
            out.append("\\" + chr(byte))
        elif 0x20 <= byte < 0x7F and byte != 0x3F:  # no trigraphs
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


class SchemaCompiler:
    """Collects schemas; equal ones become one node. `add` names a schema's node, `text` is the C of them all."""

    def __init__(self, prefix, checks=True):
        self.prefix = prefix
        self.checks = checks
        self.nodes = []  # C initialisers, by number
        self.known = {}  # initialiser -> number
        self.root = None
        self.made = {}  # id of a schema below the root -> number

    def add(self, schema):
        """C expression of the address of the node of `schema`, whose references are within itself."""
        self.root = schema
        self.made = {}
        return self.node(schema, "")

    def reference(self, number):
        return f"&{self.prefix}_{number}"

    def text(self):
        lines = [f"static const ReeveSchemaNode {self.prefix}_{i};" for i in range(len(self.nodes))]
        lines += [f"static const ReeveSchemaNode {self.prefix}_{i} = {node};" for i, node in enumerate(self.nodes)]
        return "\n".join(lines) + "\n"

    def node(self, schema, where):
        if id(schema) in self.made and not isinstance(schema, bool):
            return self.reference(self.made[id(schema)])
        if isinstance(schema, bool):
            return self.finish("{ 0 }" if schema else "{ .never = TRUE }", None, schema)
        if not isinstance(schema, dict):
            raise SchemaError(f"{where or 'the schema'}: must be an object or a boolean")
        number = len(self.nodes)
        self.nodes.append(None)
        self.made[id(schema)] = number
        return self.finish("{ " + ", ".join(self.members(schema, where)) + " }", number, schema)

    def finish(self, initialiser, number, schema):
        if initialiser == "{  }":
            initialiser = "{ 0 }"
        same = self.known.get(initialiser)
        if same is not None and (number is None or number == len(self.nodes) - 1):
            # nothing was emitted below it, or only what was there already
            if number is not None:
                self.nodes.pop()
                self.made[id(schema)] = same
            return self.reference(same)
        if number is None:
            number = len(self.nodes)
            self.nodes.append(None)
        self.nodes[number] = initialiser
        self.known.setdefault(initialiser, number)
        return self.reference(number)

    def members(self, schema, where):
        yield from self.simple(schema, where)
        for refused in ("$dynamicRef", "$recursiveRef"):
            if refused in schema:
                raise SchemaError(f"{where}: {refused} is not supported")
        if schema is not self.root and "$id" in schema:
            raise SchemaError(f"{where}: $id below the root is not supported")
        for group, (c_type, rows) in GROUPS.items():
            fields = []
            for keyword, (member, kind) in rows.items():
                if keyword in schema:
                    place = f"{where}/{keyword}"
                    fields.append(f".{member} = " + getattr(self, "value_" + kind)(schema[keyword], place))
                    if keyword == "properties":
                        fields.append(f".n_properties = {len(schema[keyword])}")
            if fields:
                yield f".{group} = &(const {c_type}){{ " + ", ".join(fields) + " }"
        # compiled aside, only to tell their faults: what is used is compiled where it is referred to
        for name, definition in schema.get("$defs", {}).items() if self.checks else ():
            aside = SchemaCompiler("aside", checks=False)
            aside.root = self.root
            aside.node(definition, f"{where}/$defs/{name}")

    def simple(self, schema, where):
        if "type" in schema:
            names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not names or any(name not in TYPES for name in names):
                raise SchemaError(f"{where}/type: no type")
            yield ".types = " + " | ".join(f"REEVE_SCHEMA_TYPE_{name.upper()}" for name in names)
        if "$ref" in schema:
            yield ".ref = " + self.node(self.resolve(schema["$ref"], where), where + "/$ref")
        if "const" in schema:
            yield ".constant = " + c_string(canonical(schema["const"]))
        if "enum" in schema:
            yield ".enumeration = " + self.strings([canonical(value) for value in schema["enum"]])
        for keyword, member in (("title", "title"), ("description", "description"), ("x-reeve-unit", "unit"),
                                ("x-reeve-variable", "variable")):
            if keyword in schema:
                yield f".{member} = " + self.value_text(schema[keyword], f"{where}/{keyword}")
        if "default" in schema:
            yield ".fallback = " + c_string(canonical(schema["default"]))
        for keyword in ("secret", "verbatim", "planned"):
            if schema.get("x-reeve-" + keyword):
                yield f".{keyword} = TRUE"

    def resolve(self, reference, where):
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise SchemaError(f"{where}/$ref: only references within the schema")
        fragment = re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), reference[1:])
        if fragment and not fragment.startswith("/"):
            found = self.anchor(self.root, fragment)
        else:
            found = self.root
            for part in fragment.split("/")[1:]:
                part = part.replace("~1", "/").replace("~0", "~")
                if isinstance(found, list):
                    found = found[int(part)] if part.isdigit() and int(part) < len(found) else None
                else:
                    found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            raise SchemaError(f"{where}/$ref: {reference} is not in this schema")
        return found

    def anchor(self, schema, name):
        if isinstance(schema, dict) and schema.get("$anchor") == name:
            return schema
        children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        return next((found for child in children if (found := self.anchor(child, name)) is not None), None)

    # ---- values of keywords, as C initialisers ----

    @staticmethod
    def strings(texts):
        return "(const char *const[]){ " + ", ".join([*map(c_string, texts), "NULL"]) + " }"

    @staticmethod
    def is_number(value):
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def value_number(self, value, where):
        if not self.is_number(value) or (where.endswith("/multipleOf") and value <= 0):
            raise SchemaError(f"{where}: must be a number" + (" greater than 0" if self.is_number(value) else ""))
        whole = isinstance(value, int) and -(2**63) <= value < 2**63
        integer = "G_MININT64" if whole and value == -(2**63) else f"G_GINT64_CONSTANT ({value if whole else 0})"
        return f"{{ TRUE, {'TRUE' if whole else 'FALSE'}, {integer}, {float(value)!r} }}"

    def value_count(self, value, where):
        if not self.is_number(value) or value < 0 or value != int(value) or value > 2**53:
            raise SchemaError(f"{where}: must be a whole number from 0")
        return f"{{ TRUE, {int(value)} }}"

    @staticmethod
    def value_text(value, where):
        if not isinstance(value, str):
            raise SchemaError(f"{where}: must be a string")
        return c_string(value)

    @staticmethod
    def value_boolean(value, where):
        if not isinstance(value, bool):
            raise SchemaError(f"{where}: must be true or false")
        return "TRUE" if value else "FALSE"

    def value_format(self, value, where):
        self.value_text(value, where)
        return "REEVE_SCHEMA_FORMAT_" + (value.upper().replace("-", "_") if value in FORMATS else "NONE")

    def value_node(self, value, where):
        return self.node(value, where)

    def value_nodes(self, value, where):
        if not isinstance(value, list) or not value:
            raise SchemaError(f"{where}: must be an array of at least one schema")
        nodes = [self.node(item, f"{where}/{i}") for i, item in enumerate(value)]
        return "(const ReeveSchemaNode *const[]){ " + ", ".join([*nodes, "NULL"]) + " }"

    def value_members(self, value, where):
        if not isinstance(value, dict):
            raise SchemaError(f"{where}: must be an object of schemas")
        names = sorted(value, key=lambda name: name.encode("utf-8"))
        rows = [f"{{ {c_string(name)}, {self.node(value[name], f'{where}/{name}')} }}" for name in names]
        return "(const ReeveSchemaMember[]){ " + ", ".join([*rows, "{ NULL, NULL }"]) + " }"

    def value_names(self, value, where):
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise SchemaError(f"{where}: must be an array of strings")
        return self.strings(value)

    def value_dependencies(self, value, where):
        if not isinstance(value, dict):
            raise SchemaError(f"{where}: must be an object of arrays")
        rows = [f"{{ {c_string(name)}, {self.value_names(names, f'{where}/{name}')} }}" for name, names in value.items()]
        return "(const ReeveSchemaDependency[]){ " + ", ".join([*rows, "{ NULL, NULL }"]) + " }"


def compile_schema(schema, name):
    """C text that defines `static const ReeveSchemaNode NAME_0 …` and the C expression of the root's address."""
    compiler = SchemaCompiler(name)
    root = compiler.add(schema)
    return compiler.text(), root


def main():
    source, target, name = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        schema = json.load(file)
    text, root = compile_schema(schema, name + "_node")
    with open(target, "w", encoding="utf-8") as file:
        file.write('/* generated by schema_compile.py */\n#include "base/json-schema.h"\n\n' + text)
        file.write(f"\nextern const ReeveSchemaNode *const {name};\nconst ReeveSchemaNode *const {name} = {root};\n")


if __name__ == "__main__":
    main()
