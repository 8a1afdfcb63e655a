# SPDX-License-Identifier: LGPL-2.1-or-later
"""reeve-plugin-check passes a plugin that is right, and finds every fault that it is there for."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = os.environ["REEVE_SOURCE_DIR"]
BUILD = os.environ["REEVE_BUILD_DIR"]
CHECK = os.path.join(BUILD, "plugin-api", "kit", "reeve-plugin-check")
FAULTY = os.path.join(BUILD, "tests", "plugin-api", "faulty")
SAMPLES = os.path.join(TOP, "tests", "plugin-api", "samples")
FILES = ("faulty.plugin", "faulty.so", "README.md")

# fault -> the check that must fail first, and what must be said
FAULTS = {
    "setup": ("plugin: offers ReeveTool", "names that kind"),
    "shutdown": ("plugin: shuts down", "signal 6"),
    "tool-name": ("tool: the tools it lists are described completely", "name 'my work'"),
    "tool-mute": ("tool: the tools it lists are described completely", "description is empty"),
    "tool-schema": ("tool: the tools it lists are described completely", "not of type object"),
    "tool-twice": ("tool: the tools it lists are described completely", "two tools are called work"),
    "tool-order": ("tool: the list is the same when asked again", "another order"),
    "tool-any": ("tool: a tool that it does not list is not found", "it answered"),
    "tool-pattern": ("tool work: there are arguments to call it with", "--arguments work=JSON"),
    "tool-silent": ('tool work: called with {"n":3}', "failed without saying why"),
    "tool-foreign": ('tool work: called with {"n":3}', "an error of domain g-io-error-quark"),
    "tool-crash": ('tool work: called with {"n":3}', "signal 11"),
    "tool-exit": ('tool work: called with {"n":3}', "status 7"),
    "tool-critical": ('tool work: called with {"n":3}', "signal"),
    "tool-hang": ('tool work: called with {"n":3}', "did not return within 4 seconds"),
    "tool-deaf": ("tool work: a call that was cancelled returns at once", "more than two seconds"),
    "extractor-type": ("extractor: its media types", "in lower case without parameters"),
    "extractor-any": ("extractor: a media type that it does not read is refused", "it read it"),
    "extractor-bomb": ("extractor text/x-faulty: no line break", "became"),
    "extractor-fickle": ("extractor text/x-faulty: no bytes", "differently the second time"),
    "extractor-pages": ("extractor text/x-faulty: no bytes", "page 1 comes after page 2"),
    "codec-address": ("codec: a request for chat", "no absolute http or https address"),
    "codec-header": ("codec: a request for chat", "a header with a line break"),
    "codec-json": ("codec: a request for chat", "the body is not JSON"),
    "codec-fickle": ("codec: a request for chat", "other bytes the second time"),
    "codec-cut": ("codec: sample answer.http, whole and cut anywhere", "a line that is none"),
    "codec-trusting": ("codec: sample answer.http, torn off", "taken for a whole answer"),
    "codec-deaf": ("codec: sample answer.http, stopped by the reader", "did not come back"),
    "codec-status": ("codec: sample limited.http, whole and cut anywhere", "rate_limited was expected, it was failed"),
    "engine-bytes": ("engine: a question", "not UTF-8"),
    "engine-mute": ("engine: a question", "it gave nothing"),
    "engine-refuses": ("engine: a question", "as it should be"),
    "engine-twice": ("engine: a question", "it ended twice"),
    "engine-task": ("engine: embeds, or unsupported", "as it should be"),
    "engine-deaf": ("engine: stopped by the reader", "did not come back"),
    "auth-open": ("auth: scheme 'bearer' lets nobody in who shows nonsense", "let '' OR '1'='1' in"),
}


class Result:
    """What one run said: its checks by name, with the reason of those that failed."""

    def __init__(self, *arguments, env=None):
        done = subprocess.run([CHECK, *arguments], env=env, capture_output=True, text=True, check=False)
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        lines = done.stdout.splitlines()
        self.good, self.failed = [], []
        for line, following in zip(lines, lines[1:] + [""]):
            if match := re.match(r"(not )?ok \d+ [\w-]+: (.*)", line):
                if match[1]:
                    self.failed.append((match[2], following))
                else:
                    self.good.append(match[2])
        self.plan = int(lines[-1][3:]) if lines and lines[-1].startswith("1..") else None


def check(folder, *arguments, env=None):
    return Result("--timeout", "4", "--samples", os.path.join(SAMPLES, "faulty"), *arguments, folder, env=env)


class Faults(unittest.TestCase):
    """One fault at a time, by the settings of the faulty plugin."""

    @classmethod
    def setUpClass(cls):
        # a crash that is provoked is no finding of a sanitizer
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0", "UBSAN_OPTIONS": ""}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = {fault: pool.submit(check, FAULTY, "--settings", f'{{"fault": "{fault}"}}', env=env) for fault in FAULTS}
        cls.results = {fault: run.result() for fault, run in runs.items()}

    def test_every_fault_is_found(self):
        for fault, (name, why) in FAULTS.items():
            with self.subTest(fault):
                result = self.results[fault]
                self.assertEqual(result.code, 1, result.out + result.err)
                self.assertTrue(result.failed, result.out)
                self.assertEqual(result.failed[0][0], name)
                self.assertIn(why, result.failed[0][1])
                self.assertEqual(result.plan, len(result.good) + len(result.failed))


class Folders(unittest.TestCase):
    """Copies of a plugin, to be changed."""

    def folder(self, name="faulty"):
        """A copy of the faulty plugin, to be changed."""
        top = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, top)
        folder = os.path.join(top, name)
        os.mkdir(folder)
        for file in FILES:
            shutil.copy(os.path.join(FAULTY, file), folder)
        return folder

    def edit(self, path, before, after):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(before, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(before, after))

    def one_failure(self, result, name, why):
        self.assertEqual(result.code, 1, result.out)
        self.assertEqual([failed[0] for failed in result.failed], [name], result.out)
        self.assertIn(why, result.failed[0][1])


class Check(Folders):
    """The rest: a good plugin, faults of the folder, the command line."""

    def test_a_right_plugin_passes(self):
        result = check(self.folder())
        self.assertEqual((result.code, result.failed), (0, []), result.out)
        self.assertGreater(len(result.good), 90)
        self.assertEqual(result.plan, len(result.good))

    def test_several_folders(self):
        result = check(self.folder(), os.path.join(tempfile.gettempdir(), "nothing-here"))
        self.assertEqual(result.code, 1)
        self.assertEqual([name for name, _ in result.failed], ["manifest: nothing-here.plugin is right"])
        self.assertEqual(result.plan, len(result.good) + 1)

    def test_readme_without_a_heading(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "README.md"), "## Data stored", "## Data kept")
        self.one_failure(check(folder), "README.md: has its headings, each with text", "'## Data stored' is missing")

    def test_readme_with_nothing_below_a_heading(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "README.md"), "None worth naming.\n", "")
        self.one_failure(check(folder), "README.md: has its headings, each with text", "nothing stands below '## Limits'")

    def test_readme_that_hides_a_capability(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "README.md"), "`clock`", "The time")
        self.one_failure(check(folder), "README.md: names every capability under Permissions", "clock is requested")

    def test_no_readme(self):
        folder = self.folder()
        os.remove(os.path.join(folder, "README.md"))
        names = [name for name, _ in check(folder).failed]
        self.assertEqual(names, ["README.md: has its headings, each with text", "README.md: names every capability under Permissions"])

    def test_folder_of_another_name(self):
        folder = self.folder("other")
        self.one_failure(check(folder), "manifest: other.plugin is right", "No such file")
        os.rename(os.path.join(folder, "faulty.plugin"), os.path.join(folder, "other.plugin"))
        self.one_failure(check(folder), "manifest: other.plugin is right", "its id is faulty, its folder other")

    def test_broken_manifest(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), "Kinds=tool;extractor;llm;auth", "Kinds=oracle")
        self.one_failure(check(folder), "manifest: faulty.plugin is right", "Kinds")

    def test_interface_of_the_future(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), "Api=1.0", "Api=1.1")
        self.one_failure(check(folder), "manifest: a host would take it", "1.1")

    def test_descriptor_and_manifest_differ(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), "Version=1.0.0", "Version=1.0.1")
        result = check(folder)
        self.assertEqual(result.code, 1)
        self.assertIn("plugin: offers ReeveTool", [name for name, _ in result.failed])
        self.assertIn('its version is "1.0.0", the manifest\'s "1.0.1"', result.out)

    def test_kind_that_is_not_declared(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), "Kinds=tool;extractor;llm;auth", "Kinds=tool;extractor;llm")
        self.one_failure(check(folder), "plugin: does not offer ReeveAuth", "does not name that kind")

    def test_kind_that_is_not_offered(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), ";auth", ";auth;storage")
        names = [name for name, _ in check(folder).failed]
        self.assertEqual(names, ["plugin: offers ReeveStorage", "plugin: every kind of its manifest has an interface"])

    def test_kind_without_interface(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "faulty.plugin"), ";auth", ";auth;guard")
        self.one_failure(check(folder), "plugin: every kind of its manifest has an interface", "no interface in version 1.0")

    def test_no_module(self):
        folder = self.folder()
        os.remove(os.path.join(folder, "faulty.so"))
        self.one_failure(check(folder), "module: the file is there", "No such file")

    def test_module_that_is_none(self):
        folder = self.folder()
        with open(os.path.join(folder, "faulty.so"), "w", encoding="utf-8") as file:
            file.write("no module")
        names = [name for name, _ in check(folder).failed]
        self.assertEqual(names[0], "module: exports reeve_plugin_descriptor and nothing else")

    def test_module_that_exports_more(self):
        folder = self.folder()
        source = os.path.join(folder, "more.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int reeve_plugin_descriptor[32];\nint more (void);\nint more (void) { return 1; }\n")
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", os.path.join(folder, "faulty.so")], check=True)
        result = check(folder)
        self.assertEqual(result.failed[0], ("module: exports reeve_plugin_descriptor and nothing else", "# it exports more: compile with -fvisibility=hidden"))
        self.assertIn("magic", result.out)

    def test_settings(self):
        folder = self.folder()
        self.one_failure(check(folder, "--settings", '{"colour": "red"}'), "settings: those given fit the manifest's schema", "colour")
        self.one_failure(check(folder, "--settings", "{"), "settings: those given fit the manifest's schema", "line 1")
        path = os.path.join(folder, "settings.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"fault": "engine-mute"}')
        self.assertEqual(check(folder, "--settings", "@" + path).failed[0][0], "engine: a question")

    def test_settings_schema_in_a_file(self):
        folder = self.folder()
        manifest = os.path.join(folder, "faulty.plugin")
        with open(manifest, encoding="utf-8") as file:
            schema = re.search(r"^Schema=(.*)$", file.read(), re.M)[1]
        with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as file:
            file.write(schema)
        self.edit(manifest, "Schema=" + schema, "SchemaFile=settings.json")
        result = check(folder)
        self.assertEqual((result.code, result.failed), (0, []), result.out)
        self.assertEqual(check(folder, "--settings", '{"fault": "engine-mute"}').failed[0][0], "engine: a question")

    def test_answers(self):
        """The faulty plugin asks for the clock, which every host offers, and needs none."""
        for answer in ('clock={"time":"2026-01-02T03:04:05.000Z"}', "clock={", "clock=null"):
            result = check(self.folder(), "--answer", answer)
            self.assertEqual((result.code, result.failed), (0, []), result.out)

    def test_arguments(self):
        fault = ("--settings", '{"fault": "tool-pattern"}')
        result = check(self.folder(), *fault, "--arguments", 'work={"a":"123456789"}')
        self.assertEqual((result.code, result.failed), (0, []), result.out)
        self.assertIn('tool work: called with {"a":"123456789"}', result.good)
        result = check(self.folder(), *fault, "--arguments", 'work={"a":"1"}')
        self.assertIn("not what its schema allows", result.failed[0][1])

    def test_samples(self):
        result = Result(self.folder())
        self.one_failure(result, "codec: there are sample responses", "--samples")
        folder = self.folder()
        os.mkdir(os.path.join(folder, "samples"))
        self.one_failure(Result(folder), "codec: there are sample responses", "no *.http")
        with open(os.path.join(folder, "samples", "a.http"), "w", encoding="utf-8") as file:
            file.write("HTTP/1.1 200 OK\nX-Reeve-Task: dance\n\nT x\nE stop\n")
        self.one_failure(Result(folder), "codec: there are sample responses", "not chat, embed or models")

    def test_usage(self):
        for arguments in ([], ["--nonsense"], ["--timeout", "0", FAULTY], ["--settings", "@/nothing/here", FAULTY]):
            with self.subTest(arguments):
                result = Result(*arguments)
                self.assertEqual((result.code, result.out), (2, ""))
                self.assertIn("reeve-plugin-check: ", result.err)
        version = subprocess.run([CHECK, "--version"], capture_output=True, text=True, check=True)
        self.assertEqual(version.stdout, "reeve-plugin-check 0.1.0 (plugin interface 1.0)\n")

    def test_help_and_manual_name_the_same_options(self):
        said = subprocess.run([CHECK, "--help"], capture_output=True, text=True, check=True).stdout
        with open(os.path.join(TOP, "plugin-api", "kit", "reeve-plugin-check.1"), encoding="utf-8") as file:
            manual = file.read().replace("\\-", "-")
        options = set(re.findall(r"--[a-z]+", said)) - {"--help"}
        self.assertEqual(options, set(re.findall(r"--[a-z]+", manual.split(".SH OPTIONS")[1].split(".SH SAMPLE")[0])))


class Scripts(Folders):
    """A script is checked in a process of its own, under its layers."""

    def folder(self, name="subtitles"):
        top = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, top)
        return shutil.copytree(os.path.join(TOP, "examples", "subtitles"), os.path.join(top, name))

    def test_a_right_plugin_passes(self):
        result = check(self.folder(), "--answer", 'store.kv={"value": "x"}')
        self.assertEqual((result.code, result.failed), (0, []), result.out + result.err)
        for name in ("plugin: offers ReeveTool", "plugin: offers ReeveExtractor", "extractor text/vtt: not UTF-8", "plugin: does not offer ReeveLlmEngine",
                     "tool note_get: four calls at once"):
            self.assertIn(name, result.good)
        self.assertNotIn("module: exports reeve_plugin_descriptor and nothing else", result.good)

    def test_each_fault_is_found_and_told(self):
        for before, after, name, told in (
                ('["text/vtt"]', '["Text/VTT"]', "extractor text/vtt: no bytes", "other media types than its manifest says"),
                ('if arguments[1] != "text/vtt":', "if False:", "extractor: a media type that it does not read is refused", ""),
                ('        if name == "note_put":', '        os.abort()\n        if name == "note_put":', 'tool note_put: called with {"name":"check","text":"check"}', "signal 6"),
                ("\nclass Subtitles", "\nclass Subtitles(", "tool: a tool that it does not list is not found", "SyntaxError")):
            folder = self.folder()
            self.edit(os.path.join(folder, "subtitles.py"), before, after)
            with self.subTest(name=name):
                result = check(folder)
                self.assertEqual(1, result.code, result.out)
                self.assertIn(name, [failed[0] for failed in result.failed], result.out)
                self.assertIn(told, result.out + result.err)

    def test_a_manifest_without_its_interpreter(self):
        folder = self.folder()
        self.edit(os.path.join(folder, "subtitles.plugin"), "Interpreter=python3", "Interpreter=perl")
        self.assertIn("Interpreter", check(folder).failed[0][1])


class FirstParty(unittest.TestCase):
    """The plugins of this tree keep their own contract."""

    def passes(self, name, *arguments):
        folder = os.path.join(BUILD, "plugins", name)
        result = Result("--timeout", "60", *arguments, folder)
        self.assertEqual((result.code, result.failed), (0, []), result.out + result.err)

    def test_all(self):
        arguments = {
            "auth-jwt": ("--settings", '{"issuer": "https://idp.example", "audience": "reeve"}'),
            "auth-mtls": ("--settings", '{"rules": [{"match": {"common_name": "press-4"}, "user_id": "usr_1", "roles": ["operator"]}]}'),
            "llm-openai": ("--settings", '{"base_url": "http://127.0.0.1:9000/v1"}', "--samples", os.path.join(SAMPLES, "openai")),
            "sink-datadog": ("--settings", '{"url": "http://127.0.0.1:9", "api_key": "k"}'),
            "sink-elastic": ("--settings", '{"url": "http://127.0.0.1:9", "index": "audit"}'),
            "sink-splunk": ("--settings", '{"url": "http://127.0.0.1:9", "token": "t"}'),
            "sink-syslog": ("--settings", '{"host": "127.0.0.1", "port": 9}'),
            "sink-webhook": ("--settings", '{"url": "http://127.0.0.1:9", "secret": "s"}'),
            "tool-search": ("--answer", 'knowledge.search={"results": []}'),
        }
        folder = os.path.join(BUILD, "plugins")
        names = [name for name in sorted(os.listdir(folder)) if os.path.exists(os.path.join(folder, name, name + ".plugin"))]
        self.assertTrue(names)
        for name in names:
            with self.subTest(name):
                self.passes(name, *arguments.get(name, ()))
