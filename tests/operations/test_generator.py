# SPDX-License-Identifier: LGPL-2.1-or-later
"""The generator refuses an incomplete table, and what it writes is the same for the same table."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("REEVE_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.path.join(SOURCE, "host", "operations")

GOOD = {
    "noun": "things",
    "summary": "Things",
    "schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}},
    "operations": [
        {
            "name": "things.get", "summary": "Show a thing", "class": "read", "permission": "thing:read", "action": "things.get",
            "route": "GET /things/{id}", "path": {"id": "which"}, "identifiers": {"id": "things"},
            "result": {"status": 200, "schema": {"$ref": "#/components/schemas/Thing"}, "description": "It"},
            "function": "reeve_op_things_get",
            "examples": [{"summary": "One", "request": {"id": "1"}, "response": {"id": "1"}}],
        },
    ],
}


class Generator(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def generate(self, noun):
        """(exit code, what was said, texts by name)"""
        source = os.path.join(self.folder.name, "things.json")
        with open(source, "w", encoding="utf-8") as file:
            file.write(noun if isinstance(noun, str) else json.dumps(noun))
        output = os.path.join(self.folder.name, "out")
        os.makedirs(output, exist_ok=True)
        command = [sys.executable, os.path.join(FOLDER, "generate.py"), "--version", "1.2.3", "--output", output, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        texts = {}
        for name in os.listdir(output):
            with open(os.path.join(output, name), encoding="utf-8") as file:
                texts[name] = file.read()
        return done.returncode, done.stderr, texts

    def refused(self, words, **members):
        noun = copy.deepcopy(GOOD)
        for name, value in members.items():
            name = name.rstrip("_")
            if value is None and name != "permission":
                del noun["operations"][0][name]
            else:
                noun["operations"][0][name] = value
        code, said, _texts = self.generate(noun)
        self.assertEqual(1, code, said)
        self.assertIn(words, said)

    def test_a_good_table(self):
        code, said, texts = self.generate(GOOD)
        self.assertEqual((0, ""), (code, said))
        self.assertEqual(texts, self.generate(GOOD)[2])
        document = json.loads(texts["openapi.json"])
        self.assertEqual(("3.1.0", "1.2.3"), (document["openapi"], document["info"]["version"]))
        self.assertIn("/things/{id}", document["paths"])
        self.assertIn('.name = "things.get"', texts["operation-table.c"])

    def test_what_must_not_be_missing(self):
        for member in ("class", "permission", "action", "route", "function", "result", "summary", "examples"):
            noun = copy.deepcopy(GOOD)
            del noun["operations"][0][member]
            code, said, _texts = self.generate(noun)
            self.assertEqual(1, code, member)
            self.assertIn(member, said)

    def test_null_is_a_permission(self):
        noun = copy.deepcopy(GOOD)
        noun["operations"][0]["permission"] = None
        self.assertEqual(0, self.generate(noun)[0])

    def test_contradictions(self):
        self.refused("class", class_="write")
        self.refused("permission", permission="read")
        self.refused("flags", flags=["fast"])
        self.refused("does not name", route="GET /things/{name}")
        self.refused("without body", route="POST /things/{id}")
        self.refused("only a probe", flags=["public"])
        self.refused("not in the path", identifiers={"other": "things"})
        self.refused("begin with things.", name="other.get")
        self.refused("reeve_op_things_", function="reeve_other")
        self.refused("leads nowhere", result={"status": 200, "schema": {"$ref": "#/components/schemas/None"}, "description": "x"})
        self.refused("204", result={"status": 204, "schema": {"type": "object"}, "description": "x"})
        self.refused("action is empty", action="")
        self.refused("unknown members", colour="red")

    def test_names_are_there_once(self):
        noun = copy.deepcopy(GOOD)
        noun["operations"].append(copy.deepcopy(GOOD["operations"][0]))
        self.assertIn("there twice", self.generate(noun)[1])
        self.assertIn("there twice", self.generate('{"noun": "things", "noun": "things"}')[1])

    def test_examples_fit_their_schemas(self):
        for name in sorted(os.listdir(FOLDER)):
            if not name.endswith(".json"):
                continue
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                noun = json.load(file)
            for operation in noun["operations"]:
                required = operation.get("body", {}).get("required", [])
                for example in operation["examples"]:
                    self.assertLessEqual(set(required), set(example["request"]), operation["name"])
                    wanted = (operation["result"]["schema"] or {}).get("required", []) if "schema" in operation["result"] else ["items"]
                    self.assertLessEqual(set(wanted), set(example["response"] or {}), operation["name"])


if __name__ == "__main__":
    unittest.main()
