# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of the source: each is one case, with zero findings or suppressions that state a reason."""

import json
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import build, count

SKIP = {".git", "node_modules", "__pycache__", "corpus", ".cache"}
HERE = os.path.join(build.TOP, "tests", "lint")
IGNORED_FOLDERS = re.compile(r"^build")
# how far clang's analyzer follows a function: three quarters of its time go into the last steps, which `long` takes (its own default)
NODES = 50000
DEEP_NODES = 225000


def sources():
    """Every file of the tree that is not built, not fetched and not a fuzz input, from the top."""
    for folder, folders, names in os.walk(build.TOP):
        top = folder == build.TOP
        folders[:] = sorted(f for f in folders if f not in SKIP and not (top and IGNORED_FOLDERS.match(f)))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), build.TOP)


def run_tool(command):
    """None when the tool found nothing, else what it said."""
    done = subprocess.run(command, cwd=build.TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    return None if done.returncode == 0 else (done.stdout + done.stderr)[-6000:]


def check_layers(_files, _plain):
    return run_tool(["tests/layers"])


def check_format(files, _plain):
    return run_tool(["clang-format", "--dry-run", "-Werror", *[f for f in files if f.endswith((".c", ".h"))]])


# lists of words and endings, in part German, and texts of many languages: no prose of ours
WORD_LISTS = ("plugins/llm-extractive/extractive-lexicon.c", "plugins/llm-extractive/extractive-stem.c")
NO_TEXT = ("token-corpus.json", ".lock", "package-lock.json", ".svg", ".db", ".png", ".po", ".bin")


def check_spelling(files, _plain):
    text = [f for f in files if not f.endswith(NO_TEXT) and f not in WORD_LISTS]
    return run_tool(["codespell", "--ignore-words", f"{HERE}/codespell-ignore.txt", *text])


def is_shell(path):
    if path.endswith(".sh"):
        return True
    if "." in os.path.basename(path) and os.path.dirname(path) != ".ci":
        return False
    with open(os.path.join(build.TOP, path), "rb") as file:
        return re.match(rb"#!\s*/(usr/bin/env )?(bin/)?(ba)?sh\b", file.read(40)) is not None


def check_shell(files, _plain):
    return run_tool(["shellcheck", "-x", *[f for f in files if is_shell(f)]])


def check_translations(files, _plain):
    """po/POTFILES.in names exactly the files that mark text, and the strings extract."""
    with open(os.path.join(build.TOP, "po", "POTFILES.in"), encoding="utf-8") as file:
        listed = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    marked = set()
    for path in files:
        if path.endswith(".c") and path.split("/")[0] in ("host", "plugins", "plugin-api"):
            with open(os.path.join(build.TOP, path), encoding="utf-8") as file:
                if re.search(r'(?<!\w)(_|N_|C_|Q_|ngettext|g_dngettext) \("', file.read()):
                    marked.add(path)
    faults = [f"po/POTFILES.in lacks {p}" for p in sorted(marked - listed)]
    faults += [f"po/POTFILES.in names {p}, which marks no text" for p in sorted(listed - marked)]
    if not faults and listed:
        command = ["xgettext", "--from-code=UTF-8", "-k_", "-kN_", "-kC_:1c,2", "-kngettext:1,2", "-kg_dngettext:2,3", "-o", "/dev/null", *sorted(listed)]
        return run_tool(command)
    return "\n".join(faults) or None


def check_links(files, _plain):
    """Links of the documents that lead into the tree lead to something."""
    faults = []
    for path in [f for f in files if f.endswith(".md")]:
        with open(os.path.join(build.TOP, path), encoding="utf-8") as file:
            text = re.sub(r"```.*?```|`[^`\n]*`", "", file.read(), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not os.path.exists(os.path.join(build.TOP, os.path.dirname(path), target.split("#")[0])):
                faults.append(f"{path}: {target}")
    return "\n".join(faults) or None


def first_lines(said):
    """The findings themselves, without the path of reasoning that leads to each."""
    lines = said.splitlines()
    keep = [i for i, line in enumerate(lines) if re.search(r": (warning|error|fatal error): ", line)]
    return "\n".join(os.path.relpath(lines[i], build.TOP) if lines[i].startswith("/") else lines[i] for i in keep)


def tidy_one(plain, entry, nodes=NODES):
    command = ["clang-tidy", "--quiet", "-p", plain.folder, "--extra-arg=-Wno-unknown-warning-option", entry["file"]]
    command += [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={nodes}")]
    done = subprocess.run(command, cwd=entry["directory"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    return first_lines(done.stdout) or (done.stderr[-2000:] if done.returncode else "")


def analyse_one(_plain, entry):
    command = shlex.split(entry["command"])
    if os.path.basename(command[0]) == "ccache":
        command = command[1:]
    command[command.index("-o") + 1] = "/dev/null"
    # with cleanup variables in loops, gcc 12 takes a skipped round for an uninitialised value; -Wall and the sanitizers look too
    command += ["-fanalyzer", "-Wno-analyzer-use-of-uninitialized-value", "-fdiagnostics-path-format=none", "-fdiagnostics-color=never", "-fno-diagnostics-show-caret"]
    done = subprocess.run(command, cwd=entry["directory"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    return done.stderr[-3000:] if done.returncode or ": warning: " in done.stderr else ""


def each_unit(plain, judge):
    """Applies judge to everything that the plain build compiles from the tree."""
    try:
        plain.build()
    except build.Failed as failed:
        return str(failed)
    with open(os.path.join(plain.folder, "compile_commands.json"), encoding="utf-8") as file:
        units = {os.path.realpath(os.path.join(entry["directory"], entry["file"])): entry for entry in json.load(file)}
    wanted = [units[p] for p in sorted(units) if not p.startswith(plain.folder + "/")]
    with ThreadPoolExecutor(plain.jobs) as pool:
        said = [line for text in pool.map(lambda entry: judge(plain, entry), wanted) for line in text.splitlines()]
    # a finding in a header comes once for each file that includes it
    faults = list(dict.fromkeys(said))
    return "\n".join(faults)[-12000:] or (None if wanted else "nothing was analysed")


def check_tidy(_files, plain):
    """clang-tidy with the checks of .clang-tidy."""
    return each_unit(plain, tidy_one)


def check_tidy_deep(_files, plain):
    """clang-tidy with all the steps that its analyzer takes when nobody bounds it; part of `long`."""
    return each_unit(plain, lambda builder, entry: tidy_one(builder, entry, DEEP_NODES))


def check_analysis(_files, plain):
    """gcc's analyzer, which knows the cleanup attribute; warnings are errors."""
    return each_unit(plain, analyse_one)


CHECKS = {
    "layers": check_layers,
    "clang-format": check_format,
    "codespell": check_spelling,
    "shellcheck": check_shell,
    "translations": check_translations,
    "links": check_links,
    "clang-tidy": check_tidy,
    "fanalyzer": check_analysis,
}
DEEP_CHECKS = {"clang-tidy": check_tidy_deep}


def run(plain, checks=None):
    tally = count.Tally()
    files = list(sources())
    for name, check in (checks or CHECKS).items():
        timer = build.Timer()
        fault = check(files, plain)
        if fault:
            tally.fail(f"lint: {name}", fault)
        else:
            tally.passed += 1
        print(f"  {name}: {'found something' if fault else 'clean'} ({timer})", flush=True)
    return tally
