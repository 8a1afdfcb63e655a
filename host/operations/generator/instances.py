# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges values by the schemas of the table: examples when the table is built, answers in tests from outside.

A second implementation beside the host's own, of the keywords that the table uses; another keyword is refused, so that none is
overlooked. `closed` also refuses members that a schema with properties does not name, unless it says that there may be more.
"""

import datetime
import re

REF = "#/components/schemas/"
KEYWORDS = ("$ref", "type", "enum", "const", "anyOf", "oneOf", "required", "properties", "additionalProperties", "minProperties",
            "maxProperties", "items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum",
            "maximum")
SILENT = {"description", "title", "default", "contentMediaType", "writeOnly"}
KINDS = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: not isinstance(v, bool) and (isinstance(v, int) or isinstance(v, float) and v.is_integer()),
    "number": lambda v: not isinstance(v, bool) and isinstance(v, (int, float)),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def same(one, other):
    """JSON's equality: true is not 1, and 1 is 1.0, at any depth."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def is_time(text):
    """RFC 3339; a leap second may end a day."""
    parts = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", text.upper())
    if parts is None or int(parts[3]) > 60:
        return False
    try:
        time = datetime.datetime.fromisoformat(f"{parts[1]}T{parts[2]}:{min(int(parts[3]), 59):02}{parts[5].replace('Z', '+00:00')}")
    except ValueError:
        return False
    return parts[3] != "60" or (time - time.utcoffset()).strftime("%H:%M") == "23:59"


def is_email(text):
    """A mailbox without quotes and comments."""
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    label = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    return re.fullmatch(rf"{atom}(\.{atom})*@{label}(\.{label})*", text) is not None


def pattern_of(text):
    """As ECMAScript has it: $ is the end and nothing before it, \\d and \\w are ASCII."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", text), re.ASCII)


def is_pattern(text):
    try:
        pattern_of(text)
    except re.error:
        return False
    return True


def is_uuid(text):
    return re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text) is not None


FORMATS = {"date-time": is_time, "email": is_email, "uuid": is_uuid}


class Instances:
    """Values under the shared schemas of a table."""

    def __init__(self, schemas, closed=False):
        self.schemas, self.closed = schemas, closed

    def faults(self, value, schema, pointer=""):
        """Every fault as `pointer: what`."""
        if isinstance(schema, bool):
            yield from () if schema else (f"{pointer}: nothing may stand here",)
            return
        for keyword, wanted in schema.items():
            if keyword in KEYWORDS:
                yield from getattr(self, "check_" + keyword.lstrip("$").lower())(value, wanted, schema, pointer)
            elif keyword not in SILENT:
                yield f"{pointer}: keyword {keyword} is not known here"

    def check_keywords(self, schema, pointer=""):
        """Keywords and types that nothing here would judge, at any depth; values are not looked at."""
        if isinstance(schema, bool):
            return
        for keyword, inner in schema.items():
            if keyword not in SILENT and keyword not in KEYWORDS:
                yield f"{pointer}: keyword {keyword} is not known here"
            elif keyword == "properties":
                for name, member in inner.items():
                    yield from self.check_keywords(member, f"{pointer}/{name}")
            elif keyword in ("items", "additionalProperties"):
                yield from self.check_keywords(inner, f"{pointer}/{keyword}")
            elif keyword in ("anyOf", "oneOf"):
                for member in inner:
                    yield from self.check_keywords(member, f"{pointer}/{keyword}")
            elif keyword == "type" and not set(inner if isinstance(inner, list) else [inner]) <= set(KINDS):
                yield f"{pointer}: type {inner} is none"
            elif keyword == "format" and inner not in FORMATS or keyword == "pattern" and not is_pattern(inner):
                yield f"{pointer}: {keyword} {inner} is not known here"
        yield from (f"{pointer}: {name} is required and not among the properties"
                    for name in schema.get("required", []) if name not in schema.get("properties", {}))

    def check_ref(self, value, ref, _schema, pointer):
        yield from self.faults(value, self.schemas[ref[len(REF):]], pointer)

    def check_type(self, value, kinds, _schema, pointer):
        if not any(KINDS[kind](value) for kind in (kinds if isinstance(kinds, list) else [kinds])):
            yield f"{pointer}: {value!r} is not of type {kinds}"

    def check_enum(self, value, values, _schema, pointer):
        if not any(same(value, v) for v in values):
            yield f"{pointer}: {value!r} is none of {values}"

    def check_const(self, value, wanted, _schema, pointer):
        if not same(value, wanted):
            yield f"{pointer}: {value!r} is not {wanted!r}"

    def check_anyof(self, value, schemas, _schema, pointer):
        found = [list(self.faults(value, s, pointer)) for s in schemas]
        if all(found):
            yield f"{pointer}: none of the alternatives: " + "; ".join(faults[0] for faults in found)

    def check_oneof(self, value, schemas, _schema, pointer):
        good = sum(not list(self.faults(value, s, pointer)) for s in schemas)
        if good != 1:
            yield f"{pointer}: {good} of the alternatives fit instead of one"

    # ---- objects ----

    def check_required(self, value, names, _schema, pointer):
        if isinstance(value, dict):
            yield from (f"{pointer}: {name} is missing" for name in names if name not in value)

    def check_properties(self, value, members, schema, pointer):
        if not isinstance(value, dict):
            return
        for name, inner in members.items():
            if name in value:
                yield from self.faults(value[name], inner, f"{pointer}/{name}")
        if self.closed and "additionalProperties" not in schema:
            yield from (f"{pointer}: {name} is not described" for name in value if name not in members)

    def check_additionalproperties(self, value, wanted, schema, pointer):
        others = [n for n in value if n not in schema.get("properties", {})] if isinstance(value, dict) else []
        for name in others:
            if wanted is False:
                yield f"{pointer}: {name} is one member too many"
            elif wanted is not True:
                yield from self.faults(value[name], wanted, f"{pointer}/{name}")

    def check_minproperties(self, value, least, _schema, pointer):
        if isinstance(value, dict) and len(value) < least:
            yield f"{pointer}: fewer than {least} members"

    def check_maxproperties(self, value, most, _schema, pointer):
        if isinstance(value, dict) and len(value) > most:
            yield f"{pointer}: more than {most} members"

    # ---- arrays ----

    def check_items(self, value, schema, _outer, pointer):
        for number, item in enumerate(value if isinstance(value, list) else []):
            yield from self.faults(item, schema, f"{pointer}/{number}")

    def check_minitems(self, value, least, _schema, pointer):
        if isinstance(value, list) and len(value) < least:
            yield f"{pointer}: fewer than {least} items"

    def check_maxitems(self, value, most, _schema, pointer):
        if isinstance(value, list) and len(value) > most:
            yield f"{pointer}: more than {most} items"

    def check_uniqueitems(self, value, wanted, _schema, pointer):
        if wanted and isinstance(value, list) and any(same(a, b) for i, a in enumerate(value) for b in value[:i]):
            yield f"{pointer}: an item is there twice"

    # ---- strings and numbers ----

    def check_minlength(self, value, least, _schema, pointer):
        if isinstance(value, str) and len(value) < least:
            yield f"{pointer}: shorter than {least}"

    def check_maxlength(self, value, most, _schema, pointer):
        if isinstance(value, str) and len(value) > most:
            yield f"{pointer}: longer than {most}"

    def check_pattern(self, value, pattern, _schema, pointer):
        if isinstance(value, str) and not pattern_of(pattern).search(value):
            yield f"{pointer}: {value!r} does not match {pattern}"

    def check_format(self, value, name, _schema, pointer):
        if isinstance(value, str) and not FORMATS[name](value):
            yield f"{pointer}: {value!r} is no {name}"

    def check_minimum(self, value, least, _schema, pointer):
        if KINDS["number"](value) and value < least:
            yield f"{pointer}: {value} is less than {least}"

    def check_maximum(self, value, most, _schema, pointer):
        if KINDS["number"](value) and value > most:
            yield f"{pointer}: {value} is more than {most}"
