# SPDX-License-Identifier: LGPL-2.1-or-later
"""Build folders: how each is configured, built once, and its meson tests run and counted."""

import glob
import json
import os
import re
import shutil
import subprocess
import time

from . import count

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SANITIZERS = os.path.join(TOP, "tests", "sanitizers")

# strict: what a memory error looks like is never left to chance
ASAN = "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:allocator_may_return_null=1"


class Failed(Exception):
    """A step that others need did not succeed; the text is for people."""


def choose_targets(folder, targets, tests, suites):
    """What ninja is to build for those suites: all that it builds by default, but for programs that are tests of other suites alone."""
    outputs = {target["id"]: {os.path.relpath(path, folder) for path in target["filename"]} for target in targets}
    chosen = {path for target in targets if target["build_by_default"] for path in outputs[target["id"]]}
    here, elsewhere = set(), set()
    for test in tests:
        words = {os.path.relpath(word, folder) for word in test["cmd"] if word.startswith(folder + "/")}
        if suites & {suite.split(":")[-1] for suite in test["suite"]}:
            here |= words.union(*(outputs.get(target, set()) for target in test["depends"]))
        else:
            elsewhere |= words
    every = set().union(*outputs.values())
    return sorted((chosen | here) & every - (elsewhere - here))


class Builder:
    """One way to build the tree: folder, options, environment of the compiler and of the programs."""

    def __init__(self, folder, options, jobs, compiler="gcc", env=None, timeout=1, targets=(), buildtype="debug", needs=None, suites=()):
        self.folder = os.path.join(TOP, folder)
        self.options = [f"-Dbuildtype={buildtype}", *options]
        self.special = bool(options) or buildtype != "debug"
        self.jobs = jobs
        self.compiler = compiler
        self.env = env or {}
        self.timeout = timeout
        self.targets = list(targets)
        self.needs = needs
        self.suites = set(suites)  # that are run there; empty: any
        self.logs = os.path.join(self.folder, "sanitizer-logs")
        self.error = None
        self.ready = False
        self.elsewhere = None  # waits for another process that builds it, as build() would

    def build(self):
        """Configures and builds, once; raises Failed with the compiler's words."""
        if self.error:
            raise Failed(self.error)
        if self.ready:
            return
        try:
            if self.elsewhere:
                self.elsewhere()
            else:
                self.build_here()
        except Failed as failed:
            self.error = str(failed)
            raise
        self.ready = True

    def build_here(self):
        if self.needs:
            self.needs.build()
        self.configure()
        if self.suites:
            self.targets = choose_targets(self.folder, self.introspect("targets"), self.introspect("tests"), self.suites)
        self.step(["ninja", "-C", self.folder, f"-j{self.jobs}", *self.targets], "build.log")

    def configure(self):
        """Sets the folder up; one that was set up otherwise is thrown away, since meson keeps its first options."""
        wanted = json.dumps([self.compiler_command(), self.options])
        note = os.path.join(self.folder, "tests-run.json")
        done = os.path.exists(os.path.join(self.folder, "build.ninja"))
        if done and os.path.exists(note):
            with open(note, encoding="utf-8") as file:
                done = file.read() == wanted
        elif done:
            done = not self.special  # set up by hand: kept, if nothing special is wanted of it
        env = {**os.environ, "CC": self.compiler_command()}
        if done:
            try:
                return self.step(["meson", "setup", self.folder, TOP, "--reconfigure", "-Dtests=true"], "setup.log", env)
            except Failed:
                pass  # a folder of an older meson, or of an older tree, or half made
        shutil.rmtree(self.folder, ignore_errors=True)
        self.step(["meson", "setup", self.folder, TOP, *self.options], "setup.log", env)
        with open(note, "w", encoding="utf-8") as file:
            file.write(wanted)

    def introspect(self, what):
        done = subprocess.run(["meson", "introspect", self.folder, f"--{what}"], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"meson introspect --{what} failed:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def compiler_command(self):
        return f"ccache {self.compiler}" if shutil.which("ccache") else self.compiler

    def step(self, command, log, env=None):
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, log)
        with open(path, "w", encoding="utf-8") as file:
            code = subprocess.run(command, cwd=TOP, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
        if code:
            with open(path, encoding="utf-8", errors="replace") as file:
                raise Failed(f"{' '.join(command[:3])} failed:\n" + "".join(file.readlines()[-60:]))

    def sanitizer_env(self):
        """The environment for programs, with the sanitizers' reports in files of their own, so that none is lost."""
        shutil.rmtree(self.logs, ignore_errors=True)
        os.makedirs(self.logs)
        return {name: value.replace("@logs@", self.logs).replace("@top@", TOP).replace("@build@", self.folder) for name, value in self.env.items()}

    def meson_test(self, name, suite, setup="isolated", more_env=None, timeout=None, jobs=None):
        """Runs one suite of meson tests, @jobs at a time; returns its Tally. A suite in which nothing ran has failed."""
        tally = count.Tally()
        try:
            self.build()
        except Failed as failed:
            tally.fail(f"{name}: build", str(failed))
            return tally
        command = ["meson", "test", "-C", self.folder, "--no-rebuild", "--suite", suite, "--setup", setup, "--logbase", name]
        command += ["--num-processes", str(jobs or self.jobs), "--timeout-multiplier", str(self.timeout if timeout is None else timeout)]
        env = {**os.environ, **self.sanitizer_env(), **(more_env or {})}
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as file:
            subprocess.run(command, cwd=TOP, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False)
        for record in self.records(name, setup):
            tally.add(count.count_meson(record["name"].split(" / ")[-1], record))
        for title, text in self.reports():
            tally.fail(f"{name}: {title}", text)
        if not tally.total:
            tally.fail(f"{name}: nothing ran", f"no test is in the suite '{suite}'")
        return tally

    def reports(self):
        """(title, text) of what the sanitizers found, the same fault in several processes once."""
        found = {}
        for path in sorted(glob.glob(self.logs + "/*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(8000)
            key = re.sub(r"0x[0-9a-f]+|\b\d+\b", "", text)
            found.setdefault(key, []).append(text)
        for texts in found.values():
            summary = re.search(r"SUMMARY: (.*)", texts[0])
            yield f"sanitizer report in {len(texts)} processes: {summary.group(1) if summary else 'see below'}", texts[0]

    def records(self, name, setup):
        path = os.path.join(self.folder, "meson-logs", f"{name}-{setup}.json")
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
        os.remove(path)


class Timer:
    """Seconds since it was made, as text."""

    def __init__(self):
        self.start = time.monotonic()

    def __str__(self):
        return f"{time.monotonic() - self.start:.1f} s"


def builders(jobs):
    """The build folders by name."""
    # times after which a test hangs, for sure: several machines in one may be busy, and a test that only waits fails nobody
    plain = Builder("build", [], jobs, timeout=4)
    return {
        "plain": plain,
        # as it is shipped: what is measured beside others' programs is optimised as they are
        "release": Builder("build-release", [], jobs, buildtype="release"),
        "asan": Builder(
            "build-asan",
            ["-Db_sanitize=address,undefined", "-Db_lundef=false"],
            jobs,
            suites=("unit", "conformance", "outside"),
            env={
                "ASAN_OPTIONS": ASAN + ":log_path=@logs@/asan",
                "LSAN_OPTIONS": "suppressions=@top@/tests/sanitizers/lsan.supp:print_suppressions=0",
                "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            },
            timeout=8,
        ),
        "tsan": Builder(
            "build-tsan",
            ["-Db_sanitize=thread", "-Db_lundef=false"],
            jobs,
            env={
                # what GLib synchronises with, told to the sanitizer: tests/sanitizers/glib-sync.c
                "LD_PRELOAD": "@build@/tests/sanitizers/libglib-sync.so",
                "TSAN_OPTIONS": "suppressions=@top@/tests/sanitizers/tsan.supp:second_deadlock_stack=1:history_size=7:log_path=@logs@/tsan",
            },
            timeout=8,
            needs=plain,  # what its tests confine: tests/confine
            suites=("threads",),
        ),
        # how much of the code the corpora reach: the replaying programs, with clang's source-based coverage
        "cover": Builder(
            "build-cover",
            ["-Dc_args=-fprofile-instr-generate -fcoverage-mapping", "-Dc_link_args=-fprofile-instr-generate", "-Db_lundef=false"],
            jobs,
            compiler="clang",
            targets=["replays"],
        ),
        "fuzz": Builder("build-fuzz", ["-Dfuzz=true", "-Db_lundef=false"], jobs, compiler="clang", targets=["fuzzers"]),
    }
