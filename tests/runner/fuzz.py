# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the libFuzzer programs.

 what                                   | CI                           | long
 inputs for each target                 | 20,000 (SLOW: fewer), seed 1 | as many as fit into 10 minutes, any seed
 what is printed                        | failures                     | a table of executions, edges, features, coverage of the files under test
 what was found (inputs that reach more)| thrown away                  | kept in build-fuzz/found/NAME, and used by the next long run

A failing input is kept in build-fuzz/artifacts/NAME; once mended it belongs into tests/fuzz/corpus/NAME, which every build replays.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from . import build, count

RUNS = 20000
SECONDS = 60
LONG_SECONDS = 600
# targets that work on files, or on each input many times: a part of the runs
SLOW = {"ledger_files": 20, "schema": 2, "sse": 4}
HERE = os.path.join(build.TOP, "tests", "fuzz")


def names():
    return sorted(os.path.basename(path)[len("fuzz_") : -2] for path in glob.glob(os.path.join(HERE, "fuzz_*.c")))


def environment():
    env = {**os.environ, "G_SLICE": "always-malloc", "ASAN_OPTIONS": "detect_leaks=1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    env["LSAN_OPTIONS"] = f"suppressions={build.SANITIZERS}/lsan.supp:print_suppressions=0"
    return env


def command_of(builder, name, work, more):
    """The program with its limits, then the folder it writes to (never the sources), then the seeds."""
    artifacts = os.path.join(builder.folder, "artifacts", name)
    os.makedirs(artifacts, exist_ok=True)
    command = [os.path.join(builder.folder, "tests", "fuzz", "fuzz_" + name), "-max_len=16384", "-timeout=10", "-rss_limit_mb=2048"]
    command += [f"-artifact_prefix={artifacts}/", "-print_final_stats=1", *more, work]
    if os.path.isdir(f"{HERE}/corpus/{name}"):
        command.append(f"{HERE}/corpus/{name}")
    if os.path.isfile(f"{HERE}/{name}.dict"):
        command.append(f"-dict={HERE}/{name}.dict")
    return command


def run_program(builder, name, work, more, seconds):
    """(what it said, None) when the target held, else (what it said, why not)."""
    command = command_of(builder, name, work, more)
    with tempfile.TemporaryDirectory(prefix="rv-fuzz.") as scratch:
        try:
            done = subprocess.run(command, cwd=scratch, env={**environment(), "TMPDIR": scratch}, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=seconds * 2 + 240, check=False)
        except subprocess.TimeoutExpired:
            return "", "did not end"
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        return said, "\n".join(said.splitlines()[-60:]) + f"\ninput kept in {builder.folder}/artifacts/{name}"
    return said, None if "stat::number_of_executed_units" in said else "ran nothing: " + said[-400:]


def prepare(builder):
    """A Tally that says what stands in the way, or an empty one."""
    tally = count.Tally()
    if not names():
        tally.fail("fuzz: nothing ran", "there is no fuzz target")
        return tally
    try:
        builder.build()
    except build.Failed as failed:
        tally.fail("fuzz: build", str(failed))
        return tally
    shutil.rmtree(os.path.join(builder.folder, "artifacts"), ignore_errors=True)
    return tally


def run(builder, runs=RUNS):
    """The same run every time: a fixed count from a fixed seed."""
    tally = prepare(builder)
    if tally.failed:
        return tally

    def one(name):
        with tempfile.TemporaryDirectory(prefix="rv-fuzz.") as work:
            more = [f"-runs={max(1, runs // SLOW.get(name, 1))}", "-seed=1", f"-max_total_time={SECONDS}"]
            return run_program(builder, name, work, more, SECONDS)[1]

    with ThreadPoolExecutor(builder.jobs) as pool:
        for name, fault in zip(names(), pool.map(one, names())):
            if fault:
                tally.fail(f"fuzz: fuzz_{name}", fault)
            else:
                tally.passed += 1
    return tally


# ---- the long suite ----


def covered_files(name):
    """What the target's own comment says it is for."""
    with open(os.path.join(HERE, f"fuzz_{name}.c"), encoding="utf-8") as file:
        comment = re.search(r"/\* covers: (.*?)\*/", file.read(), re.S)
    return re.findall(r"[\w./-]+\.c", comment.group(1)) if comment else []


def measure(builder, name, folders):
    """Percent of the lines of the files under test that the inputs of the folders reach; None where it cannot be told."""
    files = covered_files(name)
    program = os.path.join(builder.folder, "tests", "fuzz", f"fuzz-{name.replace('_', '-')}-replay")
    objects = ["-object", os.path.join(builder.folder, "plugin-api", "libreeve-plugin-1.so")]
    with tempfile.TemporaryDirectory(prefix="rv-fuzz.") as work:
        inputs = os.path.join(work, "inputs")
        os.mkdir(inputs)
        for i, folder in enumerate(folders):
            for path in glob.glob(glob.escape(folder) + "/*"):
                shutil.copyfile(path, os.path.join(inputs, f"{i}-{os.path.basename(path)}"))
        env = {**environment(), "LLVM_PROFILE_FILE": os.path.join(work, "%p-%m.profraw"), "TMPDIR": work}
        subprocess.run([program, inputs], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=True)
        merged = os.path.join(work, "merged")
        subprocess.run(["llvm-profdata", "merge", "-sparse", *glob.glob(work + "/*.profraw"), "-o", merged], check=True, capture_output=True)
        told = subprocess.run(["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", program, *objects], capture_output=True, text=True, check=True)
    # by the end of the path: a compiler cache may name another folder
    lines = [file["summary"]["lines"] for file in json.loads(told.stdout)["data"][0]["files"] if os.path.normpath(file["filename"]).endswith(tuple("/" + f for f in files))]
    total = sum(line["count"] for line in lines)
    return 100 * sum(line["covered"] for line in lines) / total if total else None


def number(pattern, said):
    found = re.findall(pattern, said)
    return int(found[-1]) if found else 0


def long_one(builder, cover, name, seconds):
    """(row of the table, fault)"""
    found = os.path.join(builder.folder, "found", name)
    os.makedirs(found, exist_ok=True)
    said, fault = run_program(builder, name, found, [f"-max_total_time={seconds}", "-timeout=60"], seconds)
    row = {"target": name, "executions": number(r"stat::number_of_executed_units: (\d+)", said), "edges": number(r"cov: (\d+)", said),
           "features": number(r"ft: (\d+)", said), "inputs": len(os.listdir(found)), "covered": "-"}
    if not fault:
        try:
            covered = measure(cover, name, [found, f"{HERE}/corpus/{name}"])
            row["covered"] = "-" if covered is None else f"{covered:.1f} %"
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            fault = f"measuring its coverage: {error}"
    row["held"] = "no" if fault else "yes"
    print(f"  fuzz_{name}: " + ", ".join(f"{key} {value}" for key, value in row.items() if key != "target"), flush=True)
    return row, fault


def print_table(rows, seconds):
    titles = ["target", "executions", "edges", "features", "inputs", "covered", "held"]
    cells = [titles] + [[f"{row[title]:,}" if isinstance(row[title], int) else row[title] for title in titles] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(titles))]
    print(f"{seconds} s each; covered: lines of the files that the target is for")
    for line in cells:
        print("  ".join(text.ljust(width) if i == 0 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths))).rstrip())
    print(f"{sum(row['executions'] for row in rows):,} executions in all", flush=True)


def run_long(builder, cover, seconds=LONG_SECONDS):
    """Each target for so many seconds; prints the table."""
    tally = prepare(builder)
    try:
        cover.build()
    except build.Failed as failed:
        tally.fail("fuzz: build for coverage", str(failed))
    if tally.failed:
        return tally
    rows = []
    with ThreadPoolExecutor(builder.jobs) as pool:
        for row, fault in pool.map(lambda name: long_one(builder, cover, name, seconds), names()):
            rows.append(row)
            if fault:
                tally.fail(f"fuzz: fuzz_{row['target']}", fault)
            else:
                tally.passed += 1
    print_table(rows, seconds)
    return tally
