# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs each libFuzzer program for a fixed count of inputs from a fixed seed: the same run every time."""

import glob
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from . import build, count

RUNS = 20000
SECONDS = 60


def run_target(builder, program, runs):
    """(name, None) when the target held, else (name, what it said)."""
    name = os.path.basename(program)[len("fuzz_") :]
    here = os.path.join(build.TOP, "tests", "fuzz")
    artifacts = os.path.join(builder.folder, "artifacts", name)
    os.makedirs(artifacts, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rv-fuzz.") as work:
        # libFuzzer adds what it finds to the first folder: never to the sources
        command = [program, f"-runs={runs}", "-seed=1", "-max_len=16384", "-timeout=10", "-rss_limit_mb=2048"]
        command += [f"-max_total_time={SECONDS}", f"-artifact_prefix={artifacts}/", "-print_final_stats=1", work]
        if os.path.isdir(f"{here}/corpus/{name}"):
            command.append(f"{here}/corpus/{name}")
        if os.path.isfile(f"{here}/{name}.dict"):
            command.append(f"-dict={here}/{name}.dict")
        env = {**os.environ, "G_SLICE": "always-malloc", "ASAN_OPTIONS": "detect_leaks=1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        env["LSAN_OPTIONS"] = f"suppressions={build.SANITIZERS}/lsan.supp:print_suppressions=0"
        try:
            done = subprocess.run(command, cwd=work, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS * 5, check=False)
        except subprocess.TimeoutExpired:
            return name, "did not end"
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        return name, "\n".join(said.splitlines()[-60:]) + f"\ninput kept in {artifacts}"
    return name, None if "stat::number_of_executed_units" in said else "ran nothing: " + said[-400:]


def run(builder, runs=RUNS):
    tally = count.Tally()
    if not glob.glob(os.path.join(build.TOP, "tests", "fuzz", "fuzz_*.c")):
        tally.fail("fuzz: nothing ran", "there is no fuzz target")
        return tally
    try:
        builder.build()
    except build.Failed as failed:
        tally.fail("fuzz: build", str(failed))
        return tally
    shutil.rmtree(os.path.join(builder.folder, "artifacts"), ignore_errors=True)
    wanted = sorted(os.path.basename(p)[:-2] for p in glob.glob(os.path.join(build.TOP, "tests", "fuzz", "fuzz_*.c")))
    programs = [os.path.join(builder.folder, "tests", "fuzz", name) for name in wanted]
    with ThreadPoolExecutor(builder.jobs) as pool:
        for name, fault in pool.map(lambda program: run_target(builder, program, runs), programs):
            if fault:
                tally.fail(f"fuzz: {name}", fault)
            else:
                tally.passed += 1
    return tally
