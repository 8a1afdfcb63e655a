# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed headers, compiled as a plugin author compiles them: in C and C++, alone, against an older interface."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import abi  # noqa: E402

TOP = os.environ["REEVE_SOURCE_DIR"]
BUILD = os.environ["REEVE_BUILD_DIR"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wundef", "-Wstrict-prototypes", "-Wno-unused-parameter"]

PLUGIN = """
#include <reeve-plugin-1.h>

typedef struct { ReevePlugin parent_instance; } Minimal;
typedef struct { ReevePluginClass parent_class; } MinimalClass;
static GType minimal_get_type (void);
G_DEFINE_TYPE (Minimal, minimal, REEVE_TYPE_PLUGIN)
static void minimal_class_init (MinimalClass *klass) {}
static void minimal_init (Minimal *self) {}

static const GType *
minimal_query_types (void)
{
  static GType types[2];
  types[0] = minimal_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("tool-minimal", "1.0", minimal_query_types);
"""

LOADER = """
#include <dlfcn.h>
#include <reeve-plugin-1.h>

int
main (int argc, char **argv)
{
  const ReevePluginDescriptor *d = dlsym (dlopen (argv[1], RTLD_NOW | RTLD_LOCAL), REEVE_PLUGIN_SYMBOL);

  g_print ("%c%c%c%c %d %d.%d %s %s %s", d->magic >> 24, d->magic >> 16 & 0xff, d->magic >> 8 & 0xff, d->magic & 0xff,
           d->struct_size == sizeof *d, d->abi_major, d->abi_minor, d->id, d->version, g_type_name (d->query_types ()[0]));
  return 0;
}
"""


def pkg_config(*options):
    env = {**os.environ, "PKG_CONFIG_PATH": os.path.join(BUILD, "meson-uninstalled")}
    return subprocess.run(["pkg-config", *options, "reeve-plugin-1"], env=env, check=True, capture_output=True, text=True).stdout.split()


class Headers(unittest.TestCase):
    """One compiler run per case."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile(self, compiler, name, text, *options):
        """Compiles text; (exit code, what the compiler said)."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        command = [*compiler.split(), *options, *pkg_config("--cflags"), self.path(name)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def good(self, *arguments):
        code, said = self.compile(*arguments)
        self.assertEqual((code, said), (0, ""))

    def test_each_header_alone(self):
        folder = os.path.join(TOP, "plugin-api")
        public = [n for n in sorted(os.listdir(folder)) if n.endswith(".h") and "REEVE_AVAILABLE" in open(os.path.join(folder, n), encoding="utf-8").read()]
        self.assertIn("reeve-tool.h", public)
        for name in public:
            with self.subTest(name):
                text = f"#include <{name}>\n#include <{name}>\nint nothing;\n"
                self.good("cc", "alone.c", text, "-std=c11", "-fsyntax-only", *WARNINGS)

    def test_umbrella_in_c(self):
        for standard in ("c99", "gnu11", "c17"):
            with self.subTest(standard):
                self.good("cc", "plugin.c", PLUGIN, f"-std={standard}", "-fsyntax-only", *WARNINGS)

    def test_umbrella_in_cplusplus(self):
        compiler = next((c for c in ("g++", "clang++") if shutil.which(c)), None)
        self.assertIsNotNone(compiler, "no C++ compiler")
        text = "#include <reeve-plugin-1.h>\nGType f () { g_autoptr (ReeveExtract) e = reeve_extract_new (nullptr); return REEVE_TYPE_TOOL; }\n"
        for standard in ("c++14", "c++20"):
            with self.subTest(standard):
                flags = [flag for flag in WARNINGS if flag != "-Wstrict-prototypes"]
                self.good(compiler, "plugin.cc", text, f"-std={standard}", "-fsyntax-only", *flags)

    def test_older_interface(self):
        """What came with 1.0 is there for a plugin that wants 1.0, and is warned about for one that wants less."""
        wanted = "-DREEVE_VERSION_MAX_ALLOWED=REEVE_VERSION_1_0"
        self.good("cc", "plugin.c", PLUGIN, "-fsyntax-only", wanted, *WARNINGS)
        use = "#include <reeve-plugin-1.h>\nvoid f (void) { reeve_extract_unref (reeve_extract_new (NULL)); }\n"
        code, said = self.compile("cc", "use.c", use, "-fsyntax-only", "-DREEVE_VERSION_MAX_ALLOWED=REEVE_ENCODE_VERSION(0,0)", "-Wall")
        self.assertEqual(code, 0)
        self.assertIn("reeve_extract_new", said)
        self.assertIn("Not available before 1.0", said)

    def test_descriptor(self):
        """A module compiled against 1.0 says so, in the one symbol that it exports."""
        shared = ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs", "-DREEVE_VERSION_MAX_ALLOWED=REEVE_VERSION_1_0"]
        with open(self.path("plugin.c"), "w", encoding="utf-8") as file:
            file.write(PLUGIN)
        with open(self.path("loader.c"), "w", encoding="utf-8") as file:
            file.write(LOADER)
        flags, libs = pkg_config("--cflags"), pkg_config("--libs")
        module, loader = self.path("tool-minimal.so"), self.path("loader")
        subprocess.run(["cc", *shared, *flags, self.path("plugin.c"), "-o", module, *libs], check=True)
        subprocess.run(["cc", *flags, self.path("loader.c"), "-o", loader, *libs], check=True)
        exported = subprocess.run(["nm", "-D", "--defined-only", module], check=True, capture_output=True, text=True).stdout
        self.assertEqual([line.split()[2] for line in exported.splitlines()], ["reeve_plugin_descriptor"])
        env = {**os.environ, "LD_LIBRARY_PATH": os.path.join(BUILD, "plugin-api")}
        said = subprocess.run([loader, module], env=env, check=True, capture_output=True, text=True).stdout
        self.assertEqual(said, "RVPL 1 1.0 tool-minimal 1.0 Minimal")

    def test_binary_interface(self):
        """Nothing that a compiled plugin relies on changes unseen."""
        self.assertEqual(sys.maxsize, 2**63 - 1, "the list is for 64-bit machines")
        with open(os.path.join(TOP, "plugin-api", "reeve-plugin-1.abi"), encoding="utf-8") as file:
            listed = [line for line in file.read().splitlines() if not line.startswith("#")]
        self.assertEqual(abi.describe(BUILD).splitlines(), listed, "tests/plugin-api/abi.py BUILD > plugin-api/reeve-plugin-1.abi, and say why in the commit")

    def test_package(self):
        """What pkg-config tells authors."""
        self.assertEqual(pkg_config("--modversion"), ["0.1.0"])
        self.assertEqual(pkg_config("--variable=api_version"), ["1.0"])
        self.assertEqual(pkg_config("--variable=plugindir"), [os.path.join(BUILD, "plugins")])
