# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin author's guide is true: its examples are written to files, compiled outside of the tree and checked, and what
it says of versions, errors and kinds is what the headers say. The template builds too."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = os.environ["REEVE_SOURCE_DIR"]
BUILD = os.environ["REEVE_BUILD_DIR"]
API = os.path.join(BUILD, "plugin-api")
BLOCK = re.compile(r"^<!-- (file|compile|run|python)(?:: (\S+))? -->\n```\w+\n(.*?)^```$", re.M | re.S)
STRICT = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]


def read(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as file:
        return file.read()


GUIDE = read("docs", "plugin-guide.md")


def environment():
    return {
        **os.environ,
        "PKG_CONFIG_PATH": os.path.join(BUILD, "meson-uninstalled"),
        "PATH": os.path.join(API, "kit") + ":" + os.environ["PATH"],
        "LD_LIBRARY_PATH": API,
    }


class Guide(unittest.TestCase):
    """Every example of the guide."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.blocks = [match.groups() for match in BLOCK.finditer(GUIDE)]
        for kind, name, text in self.blocks:
            if kind in ("file", "compile"):
                path = os.path.join(self.folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)

    def run_command(self, command, **options):
        done = subprocess.run(command, cwd=self.folder, env=environment(), capture_output=True, text=True, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def build(self, source, module):
        flags = self.run_command(["pkg-config", "--cflags", "--libs", "reeve-plugin-1"]).stdout.split()
        self.run_command(["cc", "-shared", "-fPIC", "-fvisibility=hidden", *STRICT, source, "-o", module, *flags])

    def test_every_example_is_tested(self):
        kinds = [kind for kind, _, _ in self.blocks]
        self.assertEqual(kinds, ["file", "file", "file", "run", "compile", "file", "python"])
        # blocks without a mark are layouts, no code
        self.assertEqual(GUIDE.count("\n```\n") + GUIDE.count("\n```\Z"), len(kinds) + 2)

    def test_tool(self):
        script = next(text for kind, _, text in self.blocks if kind == "run")
        done = self.run_command(["sh", "-e", "-c", script])
        self.assertNotIn("not ok", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertRegex(done.stdout.splitlines()[-1], r"^1\.\.\d\d$")
        self.build("tool-temperature/temperature.c", "strict.so")

    def test_tool_arguments(self):
        """Arguments as the guide's prose has them, and ones that lead to a result that says it failed."""
        self.build("tool-temperature/temperature.c", "tool-temperature/tool-temperature.so")
        for given in ('{"from":"C","to":"F","value":43}', '{"from":"K","to":"C","value":-1}'):
            done = self.run_command(["reeve-plugin-check", "--arguments", "convert_temperature=" + given, "tool-temperature"])
            self.assertIn(f"tool convert_temperature: called with {given}\n", done.stdout)

    def test_extractor(self):
        manifest = os.path.join(self.folder, "extractor-srt", "extractor-srt.plugin")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write("[Plugin]\nId=extractor-srt\nVersion=1.0.0\nName=Subtitles\nDescription=Reads subtitles.\nKinds=extractor\nApi=1.0\n")
        shutil.copy(os.path.join(self.folder, "tool-temperature", "README.md"), os.path.join(self.folder, "extractor-srt"))
        self.build("extractor-srt/srt.c", "extractor-srt/extractor-srt.so")
        self.assertNotIn("not ok", self.run_command(["reeve-plugin-check", "extractor-srt"]).stdout)

    def test_fragments(self):
        for kind, name, _ in self.blocks:
            if kind == "compile":
                flags = self.run_command(["pkg-config", "--cflags", "reeve-plugin-1"]).stdout.split()
                self.run_command(["cc", "-c", *STRICT, *flags, name, "-o", "fragment.o"])


class Facts(unittest.TestCase):
    """What the guide says in prose, against the sources."""

    def test_links(self):
        headings = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", GUIDE, re.M)}
        for link in re.findall(r"\]\(#([\w-]+)\)", GUIDE):
            self.assertIn(link, headings)

    def test_errors(self):
        table = GUIDE.split("| code | when |")[1].split("\n\n")[0]
        named = set(re.findall(r"`([A-Z_]+)`", table))
        codes = set(re.findall(r"^  REEVE_ERROR_(\w+)", read("plugin-api", "reeve-error.h"), re.M))
        self.assertLessEqual(named, codes)
        # what only the host itself says
        own = {"BUDGET_EXCEEDED", "PLUGIN", "METHOD_NOT_ALLOWED", "UNSUPPORTED_MEDIA", "IDEMPOTENCY_MISMATCH", "CALLER_REVOKED", "NETWORK_DENIED", "COUNTRY_DENIED"}
        self.assertEqual(codes - named, own)

    def test_manifest_keys(self):
        table = GUIDE.split("| group, key |")[1].split("\n\n")[0]
        source = read("host", "loader", "manifest-read.c")
        keys = set(re.findall(r'"(\w+)"', re.search(r"reeve_manifest_keys\[\]\s*=\s*\{(.*?)\}", source, re.S)[1]))
        for key in keys | {"Schema", "SchemaFile"}:
            self.assertIn(f"`{key}`", table)

    def test_headings_of_readmes(self):
        source = read("plugin-api", "kit", "check-folder.c")
        headings = re.findall(r'"([\w ]+)"', re.search(r"check_folder_headings\[\]\s*=\s*\{(.*?)\}", source, re.S)[1])
        self.assertEqual(len(headings), 7)
        sentence = GUIDE.split("**README.md** has the headings")[1].split("\n\n")[0]
        for heading in headings:
            self.assertIn(heading, sentence)

    def test_functions_that_are_named_exist(self):
        names = set(re.findall(r"\b(reeve_[a-z_]+) ?\(", GUIDE))
        exported = set(re.findall(r"^\s+(reeve_\w+);", read("plugin-api", "reeve-plugin-1.map"), re.M))
        self.assertLessEqual(names, exported)
        self.assertGreater(len(names), 10)


class Template(unittest.TestCase):
    """The template of a plugin, built outside of the tree with Meson and pkg-config."""

    def test_builds_and_passes_its_check(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(os.path.join(TOP, "plugin-api", "kit", "template"), os.path.join(folder, "hello"))
        env = environment()
        for command in (["meson", "setup", "--werror", "--prefix=/usr", "build", "hello"], ["meson", "compile", "-C", "build"], ["meson", "test", "-C", "build", "--print-errorlogs"]):
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"contract +OK .* \d\d subtests passed")
        install = ["meson", "install", "-C", "build", "--destdir", os.path.join(folder, "root")]
        subprocess.run(install, cwd=folder, env=env, capture_output=True, check=True)
        found = sorted(name for _, _, names in os.walk(os.path.join(folder, "root")) for name in names)
        self.assertEqual(found, ["README.md", "tool-hello.plugin", "tool-hello.so"])
