# SPDX-License-Identifier: LGPL-2.1-or-later
"""The generator refuses an incomplete table, naming file and member; what it writes is the same for the same table."""

import contextlib
import copy
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("REEVE_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.path.join(SOURCE, "host", "operations")
sys.path.insert(0, FOLDER)
import generate  # noqa: E402
from generator.instances import Instances  # noqa: E402

GOOD = {
    "noun": "things",
    "summary": "Things",
    "schemas": {"Thing": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
    "operations": [
        {
            "name": "things.get", "summary": "Show a thing", "class": "read", "permission": "thing:read", "action": "things.get",
            "route": "GET /things/{id}", "path": {"id": "which"}, "identifiers": {"id": "things"},
            "resource": {"type": "thing", "id": "id"},
            "result": {"status": 200, "schema": {"$ref": "#/components/schemas/Thing"}, "description": "It"},
            "function": "reeve_op_things_get",
            "cli": {"noun": "things", "verb": "show", "args": ["id"], "example": "reevectl things show 1", "columns": ["id"]},
            "dbus": {"interface": "Things1", "method": "GetThing", "in": [["id", "s", "id"]], "out": [["thing", "s"]]},
            "examples": [{"summary": "One", "request": {"id": "1"}, "response": {"id": "1"}}],
        },
        {
            "name": "things.create", "summary": "Make a thing", "class": "effect", "permission": "thing:create", "action": "things.create",
            "route": "POST /things", "aliases": ["/stuff"],
            "body": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "maxLength": 8}}},
            "resource": {"type": "thing", "id": None}, "unique": ["id"],
            "result": {"status": 201, "schema": {"$ref": "#/components/schemas/Thing"}, "description": "It"},
            "function": "reeve_op_things_create",
            "examples": [{"summary": "One", "request": {"id": "1"}, "response": {"id": "1"}}],
        },
    ],
}
GET, CREATE = 0, 1
THING = {"$ref": "#/components/schemas/Thing"}
# a word for the subtest, the row, what is put into it (... takes the member out), what the refusal says beside the file
MALFORMED = [
    ("no name", GET, {"name": ...}, "name is missing"),
    ("no summary", GET, {"summary": ...}, "things.get: summary is missing"),
    ("no class", GET, {"class": ...}, "things.get: class is missing"),
    ("no permission", GET, {"permission": ...}, "things.get: permission is missing"),
    ("no action", GET, {"action": ...}, "things.get: action is missing"),
    ("no route", GET, {"route": ...}, "things.get: route is missing"),
    ("no function", GET, {"function": ...}, "things.get: function is missing"),
    ("no result", GET, {"result": ...}, "things.get: result is missing"),
    ("no example", GET, {"examples": ...}, "things.get: examples is missing"),
    ("empty summary", GET, {"summary": ""}, "things.get: summary is empty"),
    ("empty action", GET, {"action": ""}, "things.get: action is empty"),
    ("empty examples", GET, {"examples": []}, "things.get: examples is empty"),
    ("no status", GET, {"result": {"schema": THING, "description": "It"}}, "things.get: result: status is missing"),
    ("no schema", GET, {"result": {"status": 200, "description": "It"}}, "things.get: result: schema is missing"),
    ("no description", GET, {"result": {"status": 200, "schema": THING}}, "things.get: result: description is missing"),
    ("a body's schema", CREATE, {"body": ...}, "things.create: body: POST without one"),
    ("intent about nothing", CREATE, {"resource": ...}, "things.create: resource: the intent of an effect says what it is about"),
    ("unknown member", GET, {"colour": "red"}, "things.get: unknown members colour"),
    ("unknown class", GET, {"class": "write"}, "things.get: class: write"),
    ("odd permission", GET, {"permission": "read"}, "things.get: permission: read"),
    ("unknown flag", GET, {"flags": ["fast"]}, "things.get: flags: fast"),
    ("public read", GET, {"flags": ["public"]}, "things.get: flags: only a probe is public"),
    ("platform admin without permission", GET, {"flags": ["platform-admin"], "permission": None}, "things.get: permission: the platform"),
    ("odd route", GET, {"route": "GET things"}, "things.get: route: GET things"),
    ("unknown method", GET, {"route": "FETCH /things/{id}"}, "things.get: route: FETCH"),
    ("path member without schema", GET, {"route": "GET /things/{id}/{part}"}, "does not name the members of path"),
    ("schema without path member", GET, {"route": "GET /things"}, "does not name the members of path"),
    ("alias of another shape", GET, {"aliases": ["/v1/things"]}, "does not name the members of path"),
    ("identifier not in the path", GET, {"identifiers": {"other": "things"}}, "things.get: identifiers: other"),
    ("remains of nothing", GET, {"identifiers": ..., "remains": "reeve_op_things_remains"}, "things.get: remains: it must begin"),
    ("remains of another noun", GET, {"remains": "reeve_op_others_remains"}, "things.get: remains: it must begin"),
    ("name of another noun", GET, {"name": "other.get"}, "name: it must begin with things."),
    ("function of another noun", GET, {"function": "reeve_other"}, "function: it must begin with reeve_op_things_"),
    ("same name", CREATE, {"name": "things.get"}, "name: things.get is there twice"),
    ("same action", CREATE, {"action": "things.get"}, "action: things.get is there twice"),
    ("same function", CREATE, {"function": "reeve_op_things_get"}, "function: reeve_op_things_get is there twice"),
    ("same route", CREATE, {"route": "GET /things/{name}", "path": {"name": "which"}, "body": ..., "unique": ..., "aliases": []},
     "route: GET /things/{} is there twice, also in things."),
    ("own route again", CREATE, {"aliases": ["/things"]}, "route: POST /things is there twice, also in things.create"),
    ("ref to nothing", GET, {"result": {"status": 200, "schema": {"$ref": "#/components/schemas/None"}, "description": "x"}},
     "things.get: #/components/schemas/None leads nowhere"),
    ("unknown member of the result", GET, {"result": {"status": 200, "schema": THING, "description": "It", "colour": 1}},
     "things.get: result: unknown members colour"),
    ("204 with a schema", GET, {"result": {"status": 204, "schema": THING, "description": "x"}}, "things.get: result: 204"),
    ("200 without a schema", GET, {"result": {"status": 200, "schema": None, "description": "x"}}, "things.get: result: 204"),
    ("misspelt keyword", CREATE, {"body": {"type": "object", "properties": {"id": {"type": "string", "maxlength": 8}}}},
     "things.create: id: keyword maxlength"),
    ("unreadable pattern", CREATE, {"body": {"type": "object", "properties": {"id": {"type": "string", "pattern": "("}}}}, "id: pattern ("),
    ("misspelt type", CREATE, {"body": {"type": "object", "properties": {"id": {"type": "text"}}}}, "things.create: id: type text"),
    ("member in path and body", CREATE, {"route": "POST /things/{id}", "path": {"id": "which"}, "aliases": []}, "body: id is in path or query"),
    ("state of nothing", CREATE, {"states": ["things.list"]}, "things.create: states: things.list shows nothing that this one changes"),
    ("state of what is not told", CREATE, {"states": ["things.get"], "body": {"type": "object"}, "unique": [],
                                           "result": {"status": 201, "schema": {"type": "object"}, "description": "It"}},
     "things.create: states: things.get shows nothing"),
    ("state before what does not block", CREATE, {"states": ["things.get"], "flags": ["async"]}, "things.create: states: things.get shows nothing"),
    ("state before a read", GET, {"states": ["things.get"]}, "things.get: states: things.get shows nothing"),
    ("resource is no parameter", GET, {"resource": {"type": "thing", "id": "name"}}, "things.get: resource: name is no parameter"),
    ("unique is no parameter", CREATE, {"unique": ["name"]}, "things.create: unique: name is no parameter"),
    ("word is no parameter", GET, {"cli": {**GOOD["operations"][GET]["cli"], "args": ["name"]}}, "things.get: cli.args: name"),
    ("word of an alias is no parameter", GET, {"cli_aliases": [{**GOOD["operations"][GET]["cli"], "verb": "see", "args": ["name"]}]},
     "things.get: cli_aliases.args: name"),
    ("generated member is no parameter", GET, {"cli": {**GOOD["operations"][GET]["cli"], "generate": "name"}}, "things.get: cli.args: name"),
    ("same command", GET, {"cli_aliases": [GOOD["operations"][GET]["cli"]]}, "things.get: cli: things show is there twice"),
    ("argument is no parameter", GET, {"dbus": {**GOOD["operations"][GET]["dbus"], "in": [["n", "s", "name"]]}}, "things.get: dbus.in: name"),
    ("argument of an alias is no parameter", GET, {"dbus_aliases": [{**GOOD["operations"][GET]["dbus"], "method": "See", "in": [["n", "s", "name"]]}]},
     "things.get: dbus_aliases.in: name"),
    ("same method", GET, {"dbus_aliases": [GOOD["operations"][GET]["dbus"]]}, "things.get: dbus: Things1.GetThing is there twice"),
    ("example of a status that is no refusal", GET, {"examples": [{"summary": "x", "request": {"id": "1"}, "status": 500, "response": {}}]},
     "number 1: status: 500"),
    ("example without answer", GET, {"examples": [{"summary": "One", "request": {"id": "1"}}]}, "things.get: examples: number 1 needs"),
    ("request lacks a member", CREATE, {"examples": [{"summary": "x", "request": {}, "response": {"id": "1"}}]}, "number 1: request: id is missing"),
    ("request has one too many", CREATE, {"examples": [{"summary": "x", "request": {"id": "1", "a": 1}, "response": {"id": "1"}}]}, "a is one member"),
    ("request is too long", CREATE, {"examples": [{"summary": "x", "request": {"id": "123456789"}, "response": {"id": "1"}}]}, "request/id: longer"),
    ("answer lacks a member", GET, {"examples": [{"summary": "x", "request": {"id": "1"}, "response": {}}]}, "number 1: response: id is missing"),
    ("answer has one too many", GET, {"examples": [{"summary": "x", "request": {"id": "1"}, "response": {"id": "1", "a": 1}}]}, "a is not described"),
    ("answer has another type", GET, {"examples": [{"summary": "x", "request": {"id": "1"}, "response": {"id": 1}}]}, "response/id: 1 is not of type"),
]


def changed(row, members):
    noun = copy.deepcopy(GOOD)
    for name, value in members.items():
        if value is ...:
            del noun["operations"][row][name]
        else:
            noun["operations"][row][name] = value
    return noun


class Generator(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def generate(self, noun):
        """(exit code, what was said, texts by name)"""
        source = os.path.join(self.folder.name, "things.json")
        with open(source, "w", encoding="utf-8") as file:
            file.write(noun if isinstance(noun, str) else json.dumps(noun))
        with tempfile.TemporaryDirectory() as output, contextlib.redirect_stderr(io.StringIO()) as said:
            code = generate.main(["--version", "1.2.3", "--output", output, source])
            texts = {}
            for name in os.listdir(output):
                with open(os.path.join(output, name), encoding="utf-8") as file:
                    texts[name] = file.read()
        return code, said.getvalue(), texts

    def refused(self, noun, words):
        code, said, texts = self.generate(noun)
        self.assertEqual((1, []), (code, list(texts)), said)
        self.assertIn("things.json: ", said)
        self.assertIn(words, said)

    def test_a_good_table(self):
        code, said, texts = self.generate(GOOD)
        self.assertEqual((0, ""), (code, said))
        self.assertEqual(texts, self.generate(GOOD)[2])
        document = json.loads(texts["openapi.json"])
        self.assertEqual(("3.1.0", "1.2.3"), (document["openapi"], document["info"]["version"]))
        get, create = document["paths"]["/things/{id}"]["get"], document["paths"]["/things"]["post"]
        self.assertEqual({"example1": {"summary": "One", "value": "1"}}, get["parameters"][0]["examples"])
        self.assertEqual({"id": "1"}, get["responses"]["200"]["content"]["application/json"]["examples"]["example1"]["value"])
        self.assertEqual({"id": "1"}, create["requestBody"]["content"]["application/json"]["examples"]["example1"]["value"])
        self.assertIn('.name = "things.get"', texts["operation-table.c"])

    def test_an_operation_has_several_commands(self):
        noun = changed(CREATE, {"cli": {"noun": "things", "verb": "make", "args": ["id"], "example": "reevectl things make 1", "columns": ["id"]},
                                "cli_aliases": [{"noun": "stuff", "verb": "new", "args": ["tenant_id"], "generate": "id",
                                                 "example": "reevectl stuff new acme", "columns": []}]})
        code, said, texts = self.generate(noun)
        self.assertEqual((0, ""), (code, said))
        table = texts["cli-commands.c"]
        self.assertIn('{ "stuff", "new", "things.create"', table)
        self.assertLess(table.index('{ "stuff", "new"'), table.index('{ "things", "make"'))
        self.assertIn('TRUE, FALSE, "id" }', table)

    def test_an_operation_has_several_methods(self):
        noun = changed(GET, {"dbus_aliases": [{"interface": "Others1", "method": "See", "in": [["id", "s", "id"]], "out": [["other", "s"]]}]})
        code, said, texts = self.generate(noun)
        self.assertEqual((0, ""), (code, said))
        for interface, method in (("Things1", "GetThing"), ("Others1", "See")):
            self.assertIn(f'{{ "io.reeve.{interface}", "{method}", "things.get"', texts["dbus-methods.c"])
            self.assertIn(f'<interface name="io.reeve.{interface}">', texts["dbus.xml"])

    def test_what_is_typed_is_never_null(self):
        members = {"id": {"type": "string"}, "boss": {"type": ["string", "null"]}, "many": {"type": ["array", "null"], "items": {"type": "string"}},
                   "any": {"type": ["object", "string"]}}
        noun = changed(CREATE, {"cli": {"noun": "things", "verb": "make", "args": ["id"], "example": "reevectl things make 1", "columns": ["id"]},
                                "body": {"type": "object", "required": ["id"], "properties": members}})
        code, said, texts = self.generate(noun)
        self.assertEqual((0, ""), (code, said))
        for name, letter in (("boss", "s"), ("many", "l"), ("any", "j")):
            self.assertIn(f'{{ "{name}", REEVE_PARAMETER_BODY, \'{letter}\', FALSE }}', texts["cli-commands.c"])

    def test_a_state_is_of_what_is_told_or_made(self):
        made = {"body": {"type": "object"}, "unique": [], "examples": [{"summary": "One", "request": {}, "response": {"id": "1"}}]}
        for members in ({}, made):
            code, said, texts = self.generate(changed(CREATE, {"states": ["things.get"], **members}))
            self.assertEqual((0, ""), (code, said))
            self.assertIn('"things.get", NULL', texts["operation-table.c"])

    def test_malformed_rows_do_not_build(self):
        for word, row, members, refusal in MALFORMED:
            with self.subTest(word):
                self.refused(changed(row, members), refusal)

    def test_malformed_nouns_do_not_build(self):
        for member in ("noun", "summary", "schemas", "operations"):
            noun = copy.deepcopy(GOOD)
            del noun[member]
            self.refused(noun, f"{member} is missing")
        self.refused({**GOOD, "noun": "others"}, "noun: it is called others")
        self.refused({**GOOD, "schemas": {"Thing": {"type": "object", "requires": ["id"]}}}, "schemas: Thing: keyword requires")
        self.refused({**GOOD, "schemas": {"Thing": {"type": "object", "required": ["id"]}}}, "schemas: Thing: id is required")
        self.refused('{"noun": "things", "noun": "things"}', "a member is there twice")
        self.refused('{"noun": ', "Expecting value")

    def test_the_program_ends_with_1(self):
        source = os.path.join(self.folder.name, "things.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(changed(GET, {"class": ...}), file)
        command = [sys.executable, os.path.join(FOLDER, "generate.py"), "--version", "1", "--output", self.folder.name, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((1, "generate.py: things.json: things.get: class is missing\n"), (done.returncode, done.stderr))

    def test_null_is_a_permission(self):
        self.assertEqual(0, self.generate(changed(GET, {"permission": None}))[0])


class Judge(unittest.TestCase):
    """The judge of examples and answers against the cases that the host's own validator is held to."""

    def test_it_agrees_with_the_host(self):
        with open(os.path.join(SOURCE, "tests", "base", "schema-cases.json"), encoding="utf-8") as file:
            groups = json.load(file)
        judged = 0
        for group in groups:
            schema = group["schema"]
            if not isinstance(schema, dict) or list(Instances({}).check_keywords(schema)) or "$ref" in json.dumps(schema):
                continue
            for valid in ("valid", "invalid"):
                for value in group[valid]:
                    with self.subTest(schema=schema, value=value):
                        self.assertEqual(valid == "valid", not list(Instances({}).faults(value, schema)))
                        judged += 1
        self.assertGreater(judged, 100)


if __name__ == "__main__":
    unittest.main()
