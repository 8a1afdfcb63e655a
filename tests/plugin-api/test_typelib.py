# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin interface from another language, through its typelib."""

import os
import re
import subprocess
import unittest

BUILD = os.path.join(os.environ["REEVE_BUILD_DIR"], "plugin-api")
# python3-gi is built for Debian's own Python, whichever one runs this test
PYTHON = "/usr/bin/python3"

PRELUDE = """
import gi
gi.require_version("Json", "1.0")
gi.require_version("Reeve", "1")
from gi.repository import Gio, GLib, Json, Reeve
"""


class Typelib(unittest.TestCase):
    """Each case is a program of its own, that must end without a word on standard error."""

    def run_script(self, text):
        env = {**os.environ, "GI_TYPELIB_PATH": BUILD, "LD_LIBRARY_PATH": BUILD}
        done = subprocess.run([PYTHON, "-c", PRELUDE + text], env=env, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("\n")[:-1]

    def test_values(self):
        lines = self.run_script(
            """
extract = Reeve.Extract.new("Manual")
extract.add_page(3, "Dry the seed at 43 degrees.")
print(extract.get_title(), extract.get_n_pages(), tuple(extract.get_page(0)))
request = Reeve.HttpRequest.new("POST", "http://localhost/")
request.add_header("Accept", "text/plain")
request.set_body("text/plain", GLib.Bytes.new(b"x"))
print(request.get_headers(), request.get_body().get_data(), request.get_idempotent())
identity = Reeve.Identity.new("acme", "usr_1", ["admin"], "jwt")
identity.set_expires_at(2**40)
print(identity.get_roles(), identity.get_key_id(), identity.get_expires_at())
"""
        )
        self.assertEqual(lines[0], "Manual 1 ('Dry the seed at 43 degrees.', 3)")
        self.assertEqual(lines[1], "['Accept', 'text/plain', 'Content-Type', 'text/plain'] b'x' False")
        self.assertEqual(lines[2], "['admin'] None 1099511627776")

    def test_errors(self):
        lines = self.run_script(
            """
context = Reeve.Context.new(None, None, None)
try:
    context.call("knowledge.search", None)
except GLib.Error as error:
    print(error.matches(Reeve.error_quark(), Reeve.Error.CAPABILITY), error.message)
try:
    Reeve.json_parse_strict(b'{"a":1,"a":2}')
except GLib.Error as error:
    print(error.matches(Reeve.error_quark(), Reeve.Error.INVALID_ARGUMENT))
print(Reeve.error_get_name(Reeve.Error.BUDGET_EXCEEDED))
"""
        )
        self.assertEqual(lines[0], "True capability knowledge.search: this call was given no capabilities")
        self.assertEqual(lines[1:], ["True", "budget_exceeded"])

    def test_interfaces(self):
        """A tool written in Python, called through the wrappers that the host uses."""
        lines = self.run_script(
            """
class Hello(Reeve.Plugin, Reeve.Tool):
    def do_list(self, context):
        schema = Json.from_string('{"type": "object"}')
        return [Reeve.ToolInfo.new("hello", "greets", schema, Reeve.ToolHints.READ_ONLY)]

    def do_call(self, name, arguments, context):
        return Reeve.ToolResult.new("hello " + arguments.get_string_member("whom"), None, False)

hello = Hello()
context = Reeve.Context.new(None, None, None)
arguments = Json.from_string('{"whom": "world"}').get_object()
print(hello.call("hello", arguments, context).get_text())
print(Reeve.TYPE_TOOL if hasattr(Reeve, "TYPE_TOOL") else isinstance(hello, Reeve.Tool))
print(Reeve.API_MAJOR, Reeve.API_MINOR, Reeve.SCOPE_PLATFORM)
"""
        )
        self.assertEqual(lines, ["hello world", "True", "1 0 @platform"])

    def test_example_of_the_guide(self):
        with open(os.path.join(os.environ["REEVE_SOURCE_DIR"], "docs", "plugin-guide.md"), encoding="utf-8") as file:
            example = re.search(r"<!-- python -->\n```python\n(.*?)^```", file.read(), re.M | re.S)[1]
        self.assertEqual(self.run_script(example), ["capability knowledge.search: this call was given no capabilities"])
