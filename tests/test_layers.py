#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/layers finds every breach that it is there for, and lets good source pass."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from house import rules  # noqa: E402
from house.ctext import CText, Nesting  # noqa: E402

HEAD = f"/* {rules.SPDX} */\n/* A file of the test. */\n"


class Tokens(unittest.TestCase):
    """The C reader."""

    def names(self, text):
        return [f.name for f in CText(text).functions]

    def test_comments_and_strings_hide_code(self):
        text = '/* int a (void) { } */\nstatic const char *s = "int b (void) {"; // int c (void) {\nchar d = \'{\';\nint\ne (void)\n{\n}\n'
        self.assertEqual(self.names(text), ["e"])

    def test_string_with_escapes_and_continuation(self):
        self.assertEqual(self.names('const char *s = "a\\"{\\\\";\n#define X \\\n  { (\nvoid f (void) { }\n'), ["f"])

    def test_function_lines(self):
        function = CText("static int\nfoo (int a,\n     int b)\n{\n  return a;\n}\n").functions[0]
        self.assertEqual((function.start, function.line, function.end, function.lines), (1, 2, 6, 5))

    def test_declarations_are_no_functions(self):
        text = "int a (void);\nstruct b { int c; };\nint d[] = { 1, 2 };\ntypedef int (*e) (void);\nstatic Foo f = { .g = h (1) };\nenum i { J };\n"
        self.assertEqual(self.names(text), [])

    def test_macros_before_a_function(self):
        text = "G_DEFINE_TYPE (Foo, foo, G_TYPE_OBJECT)\n\nstatic void\nfoo_init (Foo *self)\n{\n}\n"
        function = CText(text).functions[0]
        self.assertEqual((function.name, function.start), ("foo_init", 3))

    def test_attributes_around_a_function(self):
        text = "static G_GNUC_PRINTF (1, 2) void\na (const char *f, ...)\n{\n}\n__attribute__ ((constructor)) static void b (void)\n{\n}\n"
        self.assertEqual(self.names(text), ["a", "b"])

    def test_first_live_branch_is_parsed(self):
        text = "#ifdef A\nint a (void) {\n#else\nint b (void) {\n#endif\n}\n#if 0\nint c (void) {\n#else\nint d (void) { }\n#endif\nint e (void) { }\n"
        self.assertEqual(self.names(text), ["a", "d", "e"])

    def nesting(self, body):
        return Nesting(CText("void f (void)\n{\n" + body + "}\n").functions[0].body).deepest

    def test_nesting(self):
        cases = [
            ("g ();\n", 0),
            ("if (a) b ();\n", 1),
            ("if (a) { b (); } else if (c) { d (); } else { e (); }\n", 1),
            ("for (;;) while (a) do { if (b) c (); } while (d);\n", 4),
            ("switch (a) { case 1: if (b) c (); break; default: d (); }\n", 2),
            ("if (a) x = (Foo) { .a = 1 }; Foo y = { 1 };\n", 1),
            ("FOR_EACH (a, b) { if (c) d (); }\n", 2),
            ("{ if (a) b (); }\nif (c) ; else { while (d) e (); }\n", 2),
            ("if (a)\n#ifdef X\n  { b (); }\n#else\n  { c ();\n#endif\n", 1),
        ]
        for body, depth in cases:
            with self.subTest(body=body):
                self.assertEqual(self.nesting(body), depth)


class Tree(unittest.TestCase):
    """A tree of its own for each test, checked by the program as it is called."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, path, text, head=HEAD):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(head + text)

    def run_layers(self):
        command = [sys.executable, os.path.join(HERE, "layers"), "--root", self.folder.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def good(self):
        code, out = self.run_layers()
        self.assertEqual(code, 0, out)
        return out

    def bad(self, *parts):
        """Exactly one finding, with these parts in its line."""
        code, out = self.run_layers()
        self.assertEqual(code, 1, out)
        lines = [line for line in out.splitlines() if not line.startswith(("layers:", "waiver:"))]
        self.assertEqual(len(lines), 1, out)
        for part in parts:
            self.assertIn(part, lines[0])


class Includes(Tree):
    def setUp(self):
        super().setUp()
        for path in ("plugin-api/reeve-tool.h", "host/base/ids.h", "host/store/store.h", "host/runtime/runs.h", "plugins/tool-x/x.h"):
            self.write(path, "")

    def test_right_to_left_is_good(self):
        self.write("host/runtime/runs.c", '#include "runs.h"\n#include "base/ids.h"\n#include "store/store.h"\n#include <reeve-tool.h>\n#include <glib.h>\n')
        self.write("host/main.c", '#include "runtime/runs.h"\n')
        self.write("plugins/tool-x/x.c", '#include "x.h"\n#include <reeve-tool.h>\n#include <json-glib/json-glib.h>\n')
        self.write("tests/runtime/test-runs.c", '#include "runtime/runs.h"\n#include "plugins/tool-x/x.h"\n')
        self.good()

    def test_left_to_right(self):
        self.write("host/store/store.c", '\n#include "runtime/runs.h"\n')
        self.bad("host/store/store.c:4: rooms:", "runtime")

    def test_generated_header_of_a_higher_room(self):
        self.write("host/store/store.c", '#include "operations/table-generated.h"\n')
        self.bad("rooms:", "operations")

    def test_plugin_api_includes_no_host(self):
        self.write("plugin-api/reeve-tool.c", '#include "base/ids.h"\n')
        self.bad("rooms:", "base")

    def test_plugin_includes_no_host(self):
        self.write("plugins/tool-x/x.c", '#include "base/ids.h"\n')
        self.bad("rooms:", "a plugin includes only plugin-api")

    def test_plugin_includes_no_other_plugin(self):
        self.write("plugins/tool-y/y.c", '#include "plugins/tool-x/x.h"\n')
        self.bad("rooms:", "tool-x")

    def test_host_includes_no_plugin(self):
        self.write("host/runtime/runs.c", '#include "plugins/tool-x/x.h"\n')
        self.bad("rooms:", "nothing of plugins/")

    def test_the_kit_is_a_room_of_nobody(self):
        self.write("host/loader/registry.h", "")
        self.write("plugin-api/kit/check.h", "")
        self.write("plugin-api/kit/check.c", '#include "check.h"\n#include "loader/registry.h"\n#include <reeve-tool.h>\n')
        self.good()
        self.write("plugin-api/kit/check.c", '#include "store/store.h"\n')
        self.bad("rooms:", "the kit includes only")
        self.write("plugin-api/kit/check.c", "")
        self.write("host/store/store.c", '#include "plugin-api/kit/check.h"\n')
        self.bad("rooms:", "nothing outside plugin-api/kit/")

    def test_host_includes_no_test(self):
        self.write("tests/mock.h", "")
        self.write("host/runtime/runs.c", '#include "tests/mock.h"\n')
        self.bad("rooms:", "tests/")

    def test_climbing(self):
        self.write("host/runtime/runs.c", '#include "../base/ids.h"\n')
        self.bad("include:", "climbs")

    def test_helpers_of_tests(self):
        self.write("tests/helpers/size.h", "")
        self.write("tests/runtime/test-runs.c", '#include "../helpers/size.h"\n')
        self.good()
        self.write("host/runtime/runs.c", '#include "../helpers/size.h"\n')
        self.bad("include:", "climbs")

    def test_other_room_without_its_name(self):
        self.write("host/runtime/runs.c", '#include "ids.h"\n')
        self.bad("include:", "host/base/ids.h")

    def test_commented_include_is_none(self):
        self.write("host/store/store.c", '/* #include "runtime/runs.h" */\n')
        self.good()

    def test_private_header(self):
        self.write("host/governance/admission-private.h", "")
        self.write("host/governance/admission.c", '#include "admission-private.h"\n')
        self.good()
        self.write("host/runtime/runs.c", '#include "governance/admission-private.h"\n')
        self.bad("host/runtime/runs.c:3: private:")

    def test_unknown_room(self):
        self.write("host/extra/thing.c", '#include "base/ids.h"\n')
        self.bad("rooms:", "extra is no room")


class Pure(Tree):
    def setUp(self):
        super().setUp()
        self.write("host/store/store.h", "")
        self.write("host/runtime/journal.h", "")

    def test_journal_alone_is_pure(self):
        self.write("host/runtime/decide.c", '#include "journal.h"\n#include <json-glib/json-glib.h>\n')
        self.good()

    def test_store(self):
        self.write("host/runtime/decide.c", '#include "store/store.h"\n')
        self.bad("decide.c:3: pure:")

    def test_store_through_a_header(self):
        self.write("host/runtime/journal.h", '#include "step.h"\n')
        self.write("host/runtime/step.h", '#include "store/store.h"\n')
        self.write("host/runtime/decide.c", '#include "journal.h"\n')
        self.bad("host/runtime/step.h:3: pure:", "reached through host/runtime/journal.h")

    def test_models_clock_and_sockets(self):
        self.write("host/runtime/models.h", "")
        self.write("host/base/times.h", "")
        for line in ('#include "models.h"', '#include "base/times.h"', "#include <time.h>", "#include <sys/socket.h>", "#include <libsoup/soup.h>"):
            with self.subTest(line=line):
                self.write("host/runtime/decide.c", line + "\n")
                self.bad("pure:")

    def test_clock_called_without_a_header(self):
        self.write("host/runtime/decide.c", "gint64\nreeve_decide_now (void)\n{\n  return g_get_real_time ();\n}\n")
        self.bad("decide.c:6: pure: g_get_real_time")


class Shape(Tree):
    def function(self, name="reeve_ids_new", lines=0, body=""):
        return f"void\n{name} (void)\n{{\n{body}" + "  f ();\n" * lines + "}\n"

    def test_file_size(self):
        self.write("host/base/ids.c", "\n" * 598)
        self.good()
        self.write("host/base/ids.c", "\n" * 599)
        self.bad("host/base/ids.c:1: file-size: 601")

    def test_function_size(self):
        self.write("host/base/ids.c", self.function(lines=57))
        self.good()
        self.write("host/base/ids.c", self.function(lines=58))
        self.bad("host/base/ids.c:4: function-size: reeve_ids_new (): 61 lines")

    def test_python_function_size(self):
        self.write("tests/outside/test_x.py", "def f():\n" + "    g()\n" * 60, "# " + rules.SPDX + "\n")
        self.bad("tests/outside/test_x.py:2: function-size: f ()")

    def test_nesting(self):
        self.write("host/base/ids.c", self.function(body="if (a) if (b) if (c) if (d) e ();\n"))
        self.good()
        self.write("host/base/ids.c", self.function(body="if (a) if (b) if (c) if (d)\nif (e) f ();\n"))
        self.bad("host/base/ids.c:7: nesting:", "5 deep")

    def test_prefixes(self):
        good = {
            "plugin-api/reeve-error.c": "reeve_error_quark",
            "host/base/foo-bar.c": "reeve_foo_bar_new",
            "host/operations/agents.c": "reeve_op_agents_create",
            "host/operations/gate.c": "reeve_gate_dispatch",
            "host/api/rest/server.c": "reeve_rest_server_start",
            "host/api/dbus/dbus-names.c": "reeve_dbus_names_own",
            "host/api/cli/cli.c": "reeve_cli_run",
            "host/main.c": "main",
            "plugins/tool-calculate/calculate-plugin.c": "calculate_plugin_call",
            "tests/base/test-ids.c": "test_anything",
        }
        self.write("host/operations/agents.json", "{}", "")
        for path, name in good.items():
            self.write(path, self.function(name))
        self.good()

    def test_wrong_prefixes(self):
        bad = {
            "plugin-api/reeve-error.c": "reeve_errors_quark",
            "host/base/foo-bar.c": "foo_bar_new",
            "host/operations/agents.c": "reeve_agents_create",
            "host/api/rest/server.c": "reeve_server_start",
            "plugins/tool-calculate/calculate-plugin.c": "reeve_calculate_call",
        }
        self.write("host/operations/agents.json", "{}", "")
        for path, name in bad.items():
            with self.subTest(path=path):
                self.write(path, "static " + self.function(name))
                self.bad(path + ":4: prefix: " + name)
                os.remove(os.path.join(self.folder.name, path))

    def test_parts_of_a_class(self):
        self.write("host/runtime/runs.c", self.function("reeve_runs_new"))
        self.write("host/runtime/runs-read.c", self.function("reeve_runs_list"))
        self.bad("host/runtime/runs-read.c:4: prefix: reeve_runs_list")
        self.write("host/runtime/runs-private.h", "")
        self.good()

    def test_inline_function_in_header(self):
        self.write("host/base/ids.h", "static inline int ids_length (void) { return 1; }\n")
        self.bad("host/base/ids.h:3: prefix:")

    def test_two_classes(self):
        self.write("host/base/ids.c", "G_DEFINE_FINAL_TYPE (A, reeve_a, G_TYPE_OBJECT)\nG_DEFINE_TYPE (B, reeve_b, G_TYPE_OBJECT)\n")
        self.bad("host/base/ids.c:4: class:")


class Words(Tree):
    def body(self, line):
        self.write("host/base/ids.c", f"void\nreeve_ids_new (int n)\n{{\n  {line}\n}}\n")

    def test_goto(self):
        self.body("goto out;")
        self.bad("host/base/ids.c:6: goto:")

    def test_goto_in_a_macro(self):
        self.write("host/base/ids.c", "#define LEAVE goto out\n")
        self.bad("host/base/ids.c:3: goto:")

    def test_goto_in_words_is_good(self):
        self.body('puts ("goto"); /* goto */')
        self.good()

    def test_arrays(self):
        for line in ("char b[n];", "guint8 *b[n * 2];", "ReeveId ids[n + 1];", "char *p = g_alloca (n);", "p = g_newa (char, n);"):
            with self.subTest(line=line):
                self.body(line)
                self.bad("host/base/ids.c:6: vla:")

    def test_fixed_arrays_are_good(self):
        for line in ("char b[16];", "char b[REEVE_MAX + 1];", "char b[sizeof (x)];", "x = a[n];", "return a[n];", "b = foo->b[n];", "n = c * d[n];"):
            with self.subTest(line=line):
                self.body(line)
                self.good()

    def test_unfinished(self):
        self.body("f (); /* TO" + "DO: more */")
        self.bad("host/base/ids.c:6: unfinished:")

    def test_licence(self):
        self.body("f (); /* GNU General Public Lic" + "ense */")
        self.bad("host/base/ids.c:6: licence:")

    def test_lesser_licence_is_good(self):
        self.body("f (); /* LGPL-2.1, GNU Lesser General Public Lic" + "ense */")
        self.good()


class Headers(Tree):
    def test_no_spdx(self):
        self.write("host/base/ids.c", "/* What it is. */\n", "")
        self.bad("host/base/ids.c:1: spdx:")

    def test_no_spdx_in_a_script(self):
        self.write("data/quickstart", "#!/bin/sh\necho\n", "")
        self.bad("data/quickstart:1: spdx:")

    def test_no_purpose(self):
        self.write("host/base/ids.c", "#include <glib.h>\n", f"/* {rules.SPDX} */\n")
        self.bad("host/base/ids.c:2: purpose:")


class Waivers(Tree):
    def waived(self, line):
        self.write("host/base/ids.c", f"{line}\nvoid\nids_new (void)\n{{\n}}\n")

    def test_is_listed_and_counted(self):
        self.waived("/* layers: allow prefix: the C library calls it by this name */")
        out = self.good()
        self.assertIn("waiver: host/base/ids.c:3: prefix: the C library calls it by this name\n", out)
        self.assertIn("0 findings, 1 waivers", out)

    def test_without_reason(self):
        self.waived("/* layers: allow prefix: */")
        code, out = self.run_layers()
        self.assertEqual(code, 1)
        self.assertIn(":3: waiver: allows prefix without a reason", out)
        self.assertIn(":5: prefix:", out)

    def test_unknown_rule(self):
        self.write("host/base/ids.c", "/* layers: allow everything: I like it */\n")
        self.bad(":3: waiver:", "'everything'")

    def test_unneeded(self):
        self.write("host/base/ids.c", "/* layers: allow nesting: once it was deep */\n")
        self.bad(":3: waiver:", "nothing here breaks it")

    def test_covers_only_its_place(self):
        self.waived("/* layers: allow prefix: the C library calls it by this name */\n\n\n")
        code, out = self.run_layers()
        self.assertEqual(code, 1)
        self.assertIn(": prefix:", out)

    def test_word_in_a_string_is_none(self):
        self.write("host/base/ids.c", 'const char *s = "layers: allow prefix: x";\n')
        self.assertIn("0 waivers", self.good())

    def test_file_size(self):
        self.write("host/base/ids.c", "/* layers: allow file-size: a table that no one reads */\n" + "\n" * 700)
        self.assertIn("1 waivers", self.good())


class Itself(unittest.TestCase):
    def test_rules_are_listed(self):
        out = subprocess.run([sys.executable, os.path.join(HERE, "layers"), "--rules"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in out.splitlines()], list(rules.RULES))


if __name__ == "__main__":
    unittest.main()
