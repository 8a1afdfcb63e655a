# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed for plugin authors is complete: a plugin builds and is checked with nothing else."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = os.environ["REEVE_SOURCE_DIR"]
BUILD = os.environ["REEVE_BUILD_DIR"]


class Install(unittest.TestCase):
    """One installation into a folder, looked at from several sides."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.root], check=True, capture_output=True)
        cls.pc = cls.find("reeve-plugin-1.pc")

    @classmethod
    def find(cls, name):
        found = glob.glob(cls.root + "/**/" + name, recursive=True)
        assert len(found) == 1, (name, found)
        return found[0]

    def environment(self):
        """As if the folder were the file system's root."""
        return {
            **os.environ,
            "PKG_CONFIG_PATH": os.path.dirname(self.pc),
            "PKG_CONFIG_SYSROOT_DIR": self.root,
            "PATH": os.path.dirname(self.find("reeve-plugin-check")) + ":" + os.environ["PATH"],
            "LD_LIBRARY_PATH": os.path.dirname(self.find("libreeve-plugin-1.so.0")),
        }

    def flags(self, option):
        """Of this package from the folder, of those it requires from the system."""
        said = subprocess.run(["pkg-config", option, "reeve-plugin-1"], env=self.environment(), check=True, capture_output=True, text=True).stdout
        return [flag if os.path.exists(flag[2:]) or not flag.startswith(("-I", "-L")) else flag.replace(self.root, "", 1) for flag in said.split()]

    def test_headers(self):
        installed = sorted(os.listdir(os.path.dirname(self.find("reeve-plugin-1.h"))))
        public = [os.path.basename(path) for path in glob.glob(os.path.join(TOP, "plugin-api", "*.h"))]
        public = [name for name in public if "REEVE_AVAILABLE" in open(os.path.join(TOP, "plugin-api", name), encoding="utf-8").read()]
        self.assertEqual(installed, sorted([*public, "reeve-plugin-1.h"]))

    def test_programs_find_their_library(self):
        """Without a variable of the environment, wherever it was installed: the loader's cache knows nothing of a prefix of one's own."""
        environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        if self.pc.startswith(self.root + "/usr/lib/"):
            return  # the loader looks there by itself
        programs = os.path.dirname(self.find("reeve-plugin-check"))
        for path in (programs + "/reeve-host", programs + "/reevectl", programs + "/reeve-plugin-check", self.find("reeve-plugin-runner")):
            with self.subTest(os.path.basename(path)):
                said = subprocess.run(["ldd", path], env=environment, capture_output=True, text=True, check=True).stdout
                found = [line for line in said.splitlines() if "libreeve-plugin-1.so.0" in line]
                self.assertEqual(len(found), 1, said)
                self.assertIn(self.root, os.path.realpath(found[0].split("=> ")[1].split(" (")[0]))

    def test_service(self):
        """Unit, bus and table of users speak of the same user; what the unit starts is there."""
        texts = []
        for name in ("reeve.service", "sysusers.d/reeve.conf", "io.reeve.Host.conf"):
            with open(self.find(name), encoding="utf-8") as file:
                texts.append(file.read())
        unit, users, bus = texts
        user, = re.findall(r"(?m)^User=(.*)$", unit)
        self.assertRegex(users, rf"(?m)^u {user} ")
        self.assertIn(f'<policy user="{user}">', bus)
        program, = re.findall(r"(?m)^ExecStart=(\S+)", unit)
        self.assertTrue(os.access(self.root + program, os.X_OK), program)

    def test_nothing_of_the_build_tree(self):
        with open(self.pc, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn(TOP, text)
        self.assertNotIn("fsanitize", text)
        self.assertRegex(text, r"(?m)^plugindir=\$\{libdir\}/reeve/plugins-1$")

    def test_first_party_plugins(self):
        """Each in a folder of its own, with manifest, module and README, and nothing else."""
        folder = os.path.join(os.path.dirname(self.find("libreeve-plugin-1.so.0")), "reeve", "plugins-1")
        names = sorted(os.listdir(folder))
        self.assertIn("llm-openai", names)
        for name in names:
            with self.subTest(name):
                self.assertEqual(sorted(os.listdir(os.path.join(folder, name))), sorted(["README.md", name + ".plugin", name + ".so"]))

    def test_template_builds_with_what_is_installed(self):
        work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, work)
        template = os.path.dirname(os.path.dirname(self.find("hello-tool.c")))
        source = os.path.join(template, "tool-hello")
        target = os.path.join(work, "tool-hello")
        os.mkdir(target)
        for name in ("tool-hello.plugin", "README.md"):
            shutil.copy(os.path.join(source, name), target)
        files = [os.path.join(source, name) for name in ("hello-plugin.c", "hello-tool.c")]
        command = ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs", *self.flags("--cflags"), *files]
        subprocess.run([*command, "-o", os.path.join(target, "tool-hello.so"), *self.flags("--libs")], check=True)
        done = subprocess.run(["reeve-plugin-check", target], env=self.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_manual_page(self):
        page = self.find("reeve-plugin-check.1")
        self.assertRegex(page, r"/man/man1/")
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_introspection(self):
        with open(self.find("Reeve-1.gir"), encoding="utf-8") as file:
            text = file.read()
        self.find("Reeve-1.typelib")
        self.assertIn('shared-library="libreeve-plugin-1.so.0"', text)
        self.assertIn('<package name="reeve-plugin-1"/>', text)
        self.assertNotIn(TOP, text)
