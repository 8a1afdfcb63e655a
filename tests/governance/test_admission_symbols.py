#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves from the built objects that nothing has an effect without a ReeveAdmitted, and that admission-begin.c alone makes one.

- What the gate's files export is known here; what they export for one another is referred to by no other object. No source but
  theirs knows the structure or includes the header that has it, and in none but admission-begin.c, theirs included, does one come
  out of memory, a cast, an untyped pointer or a declaration.
- Every function of a plugin interface is called from the places named here and from nowhere else.
- Every function that can reach an effect takes a `ReeveAdmitted *` and consumes it on the way, or is named here with its reason.

Arguments: build folder, source folder.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from callgraph import Graph

# the files that share admission-private.h, and the one of them that makes a right
GATE = {"admission.c", "admission-begin.c", "admission-note.c", "admission-settle.c", "admission-stages.c", "admitted.c"}
MAKER = "admission-begin.c"

# what the gate's files export for one another: none of it makes a right, and no other object refers to it
PRIVATE = {
    "reeve_admission_is_model", "reeve_admission_run_row", "reeve_admission_run_stages", "reeve_admission_get_reason", "reeve_admission_describe_kept",
    "reeve_admission_note_home", "reeve_admission_count_refusal", "reeve_admission_note_refused", "reeve_admitted_free",
}
# constant data of the same kind
PRIVATE_DATA = {"reeve_admission_rows"}

# everything with the gate's prefixes that other objects may link against; a new name belongs here only if it
# cannot hand out a right that did not go through the stages
ALLOWED = {
    "reeve_admission_get_type", "reeve_admission_new", "reeve_admission_set_instruments", "reeve_admission_set_grant",
    "reeve_admission_set_tool_check", "reeve_admission_add_check",
    "reeve_admission_add_named_check", "reeve_admission_set_budgets", "reeve_admission_set_kept_values", "reeve_admission_keeps_bodies", "reeve_admission_has_budgets", "reeve_admission_can_begin_run", "reeve_admission_set_adviser", "reeve_admission_set_tracer",
    "reeve_admission_begin", "reeve_admission_begin_async", "reeve_admission_begin_finish", "reeve_admission_settle_async",
    "reeve_admission_settle_finish", "reeve_admission_read_async", "reeve_admission_read_finish", "reeve_admission_begin_sent", "reeve_admission_refuse", "reeve_admission_allows_again",
    "reeve_admission_resume", "reeve_admission_recover", "reeve_admission_flush_refusals", "reeve_admission_name_told", "reeve_admission_name_report", "reeve_admission_set_known_models", "reeve_admission_name_unknown", "reeve_admission_name_model",
    "reeve_admitted_consume", "reeve_admitted_consume_exactly", "reeve_admitted_expect", "reeve_admitted_is_consumed", "reeve_admitted_judge", "reeve_admitted_get_intent",
    "reeve_admitted_get_caller", "reeve_admitted_confirm", "reeve_admitted_leave", "reeve_admitted_get_granted",
}
CONSUME = {"reeve_admitted_consume", "reeve_admitted_consume_exactly"}

# who may call the functions of a plugin interface: sources as room/file, or a whole room
INTERFACES = {
    "reeve_auth_": {"governance/authentication-providers.c"},
    "reeve_broker_": set(),
    "reeve_context_": {"loader/wire-broker.c"},  # a plugin's own way to its capabilities; of one in a runner, what it sends
    # what stands in for a plugin that runs in a process of its own passes on what its own functions are called with
    "reeve_extractor_": {"runtime/extraction.c", "loader/confined-kinds.c", "loader/confined-instance.c", "loader/registry-upgrade.c", "loader/term.c"},
    "reeve_sink_": {"runtime/sinks.c", "loader/confined-kinds.c"},
    "reeve_llm_codec_": {"runtime/model-call.c"},
    "reeve_llm_decoder_": {"runtime/model-call.c"},
    "reeve_llm_engine_": {"runtime/model-engine.c", "loader/confined-kinds.c"},
    "reeve_policy_adviser_": {"governance/admission-begin.c", "operations/doctor-checks.c", "operations/policy-ask.c"},
    "reeve_storage_": {"store/", "host/schema-command.c", "operations/metrics-state.c"},  # the last one asks how its cache does
    "reeve_tool_": {"runtime/tools-call.c", "runtime/tools.c", "loader/confined-kinds.c", "loader/registry-upgrade.c", "loader/term.c"},
    "reeve_upstream_warm": {"runtime/models-complete.c"},  # a connection and no byte of a request: while the intent waits
    "reeve_upstream_": {"runtime/upstream.c", "runtime/model-call.c", "runtime/net-http-job.c", "runtime/http-exchange.c", "runtime/otlp-exporter.c", "runtime/http-client.c"},
}

# the effects themselves, at the lowest place where the host has them
EFFECTS = {
    "reeve_tool_call", "reeve_llm_engine_generate", "reeve_confined_kinds_generate_text", "reeve_wire_engine_generate_text", "reeve_sink_deliver",
    "reeve_upstream_start",
    "reeve_store_commit", "reeve_store_commit_async", "reeve_store_create_scope", "reeve_store_drop_scope", "reeve_store_rotate",
}

# functions that reach an effect and take no ReeveAdmitted, with the reason; who calls them answers for himself
WITHOUT = {
    "reeve_sinks_start": "each sink takes its own right at its first batch, and consumes it",
    "reeve_api_keys_note_uses": "when a key was used last, once a minute at most; nothing hangs on it",
    "reeve_budget_leases_row_begin": "the gate's own book of slices: counts a start, before anybody is served",
    "reeve_budget_leases_row_end": "the gate's own book of slices: what a tenant that is gone had",
    "reeve_budget_leases_row_write": "the gate's own book of slices, before any effect and behind its settlement",
    "reeve_budgets_finish": "the gate's own sum of the ledger, brought up to date behind a settlement",
    "reeve_budgets_save_book": "the gate's own sum of the ledger",
    "reeve_confined_kinds_generate_text": "is the effect",
    "reeve_confined_kinds_init_engine": "is a plugin to whoever calls it, by its interface alone",
    "reeve_confined_kinds_init_sink": "is a plugin to whoever calls it, by its interface alone",
    "reeve_confined_kinds_init_tool": "is a plugin to whoever calls it, by its interface alone",
    "reeve_http_exchange_send": "of the host itself, for who is named here: a policy agent is asked, a checkpoint is shown to who cosigns it",
    "reeve_idempotency_claim_async": "the gate's own book of keys, before any effect",
    "reeve_idempotency_release": "the gate's own book of keys",
    "reeve_idempotency_store": "the gate's own book of keys: the answer of an effect that has happened",
    "reeve_kept_values_put": "the gate's own: what a record names is kept before it is written",
    "reeve_model_call_start": "takes the right in its set-up and consumes it",
    "reeve_model_engine_start": "takes the right in its set-up and consumes it",
    "reeve_net_http_job_run": "a request of a plugin's capability, bounded by its grant; within a call for somebody that has taken and consumed a right of its own (net-record.c)",
    "reeve_plugin_tokens_reserve": "the count of a grant, before the gate is asked: it can only refuse",
    "reeve_plugin_tokens_settle": "the same, behind the outcome: what was reserved and was not taken",
    "reeve_plugin_entries_change": "what a plugin's capability puts and removes, within the admitted call of its plugin, bounded by its grant",
    "reeve_otlp_exporter_new": "tells a collector, which an administrator named, what has happened: ids, names and counts",
    "reeve_otlp_exporter_stop": "the same, of what waits",
    "reeve_run_answer_finish": "writes the answer of a run, which holds the right to itself",
    "reeve_run_append": "journal of a run, which holds the right to itself",
    "reeve_store_commit": "is the effect",
    "reeve_store_commit_async": "is the effect",
    "reeve_store_commit_finish": "what it tags is the above",
    "reeve_store_create_scope": "is the effect",
    "reeve_store_drop_scope": "is the effect",
    "reeve_store_is_writable": "after a disk that failed: counts a trial of its own, which nobody reads",
    "reeve_store_rotate": "is the effect",
    "reeve_subject_keys_make": "under which key that is",
    "reeve_upstream_start": "is the effect",
    "reeve_wire_engine_generate_text": "is the effect",
    "reeve_wire_engine_init": "is a plugin to whoever calls it, by its interface alone",
    "reeve_usage_read_on": "the host's own sum of the ledger, made of what is recorded in it",
}
# of these, the ones that must consume the right all the same
CONSUMERS = {"reeve_model_call_start", "reeve_model_engine_start", "reeve_sinks_start"}

WATCH = "reeve_locks_watch_"  # debug builds send plugin calls through wrappers of this name
DEFINITION = re.compile(r"^(\w+) \(([^;{}]*?)\)\n\{(.*?)^\}", re.M | re.S)


def place_of(found):
    """room/file of an object."""
    room = re.sub(r"^libreeve-|\.(a|p)(\.p)?$", "", found.path.parent.name)
    return ("host" if room == "reeve-host" else room) + "/" + found.source


def definitions(folder):
    """(file, name, parameters, body) of every function below a folder."""
    for path in sorted(folder.rglob("*.c")):
        for match in DEFINITION.finditer(path.read_text(encoding="utf-8")):
            yield (path.name, *match.groups())


def check_makers(graph):
    gate = [o for o in graph.objects if place_of(o) in {"governance/" + name for name in GATE}]
    if sorted(o.source for o in gate) != sorted(GATE):
        yield f"one object of each of {', '.join(sorted(GATE))} is expected, found {', '.join(sorted(o.source for o in gate))}"
    exported, known = {name for o in gate for name in o.globals}, ALLOWED | PRIVATE
    yield from (f"the gate exports {name}, which this test does not know" for name in sorted(exported - known))
    yield from (f"the gate does not export {name} any more" for name in sorted(known - exported))
    for found in graph.objects:
        if found in gate:
            continue
        yield from (f"{place_of(found)} defines {name}" for name in sorted(found.globals) if name.startswith("reeve_admitted_"))
        for function, names in sorted(found.edges.items()):
            yield from (f"{place_of(found)}: {function} refers to {name}, which is the gate's own" for name in sorted(names & (PRIVATE | PRIVATE_DATA)))


KNOWN = re.compile(r"struct\s+_ReeveAdmitted\b")
MADE = re.compile(r"\(\s*(struct\s+_)?ReeveAdmitted\s*\**\s*\)|\bg_\w+\s*\(\s*ReeveAdmitted\b|\b(struct\s+_)?ReeveAdmitted\s+\w+\s*[;=,\[)]")


def check_sources(source):
    """The type is opaque: admission.h declares it, admission-private.h completes it for the gate, and nobody casts memory of his own to it."""
    for path in sorted((source / "host").rglob("*.[ch]")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(source).as_posix()
        if path.name in ("admission.h", "admission-private.h"):
            if len(KNOWN.findall(text)) != 1:
                yield f"{name} says more of struct _ReeveAdmitted than it is to"
            text = text.replace("typedef struct _ReeveAdmitted ReeveAdmitted;", "").replace("struct _ReeveAdmitted\n{", "")
        if re.search(r'#\s*include\s+"(\w+/)*admission-private\.h"', text) and path.name not in GATE:
            yield f"{name} includes admission-private.h"
        if KNOWN.search(text) or (path.name != MAKER and MADE.search(text)):
            yield f"{name} declares, knows, makes or casts to ReeveAdmitted"


def check_conversions(build, source):
    """No ReeveAdmitted comes out of an untyped pointer: -Wc++-compat names each implicit conversion."""
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        commands = {(pathlib.Path(c["directory"]) / c["file"]).resolve(): c for c in json.load(file)}
    for path in sorted((source / "host").rglob("*.c")):
        command = commands.get(path.resolve())
        if command is None or path.name == MAKER or "ReeveAdmitted" not in path.read_text(encoding="utf-8"):
            continue
        words = [w for w in shlex.split(command["command"]) if w not in ("ccache", "-Werror", "-g", "-MD")]
        for option in ("-o", "-MQ", "-MF"):
            if option in words:
                del words[words.index(option):words.index(option) + 2]
        words = [words[0], "-fsyntax-only", "-w", "-Wc++-compat", *words[1:]] if "clang" not in words[0] else [*words, "-fsyntax-only", "-Wc++-compat"]
        done = subprocess.run(words, cwd=command["directory"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"{path.name}: {done.stderr[-400:]}"
        yield from (line for line in done.stderr.splitlines() if re.search(r"conversion.*ReeveAdmitted", line))


def check_interfaces(graph, source):
    """Functions through which a plugin is called are called where this test says."""
    functions = {name for folder in ("plugin-api", "host") for _file, name, _params, body in definitions(source / folder)
                 if "_GET_IFACE (" in body or "g_type_interface_peek" in body}
    for name in sorted(functions):
        prefix = max((p for p in INTERFACES if name.startswith(p)), key=len, default=None)
        if prefix is None:
            yield f"{name} calls into a plugin: INTERFACES does not say who may call it"
            continue
        for found, function in graph.callers(name) | graph.callers(WATCH + name):
            place = place_of(found)
            if found.source != "locks-watch.c" and not any(place.startswith(p) for p in INTERFACES[prefix]):
                yield f"{place}: {function} calls {name}"
    for file, name, _params, body in definitions(source / "host"):
        if re.search(r"_GET_IFACE \(|g_type_interface_peek", body) and file not in ("upstream.c", "policy-adviser.c"):
            yield f"{file}: {name} reaches into an interface instead of calling its function"


# what the proof must see: calls, callbacks, tables of functions, a right that is taken and not used, a second caller of a plugin
CULPRIT = """
typedef struct _ReeveAdmitted ReeveAdmitted;
typedef void (*Func) (void);
void reeve_tool_call (void);
int reeve_store_commit (void);
void later (Func func);
int reeve_admission_run_row (void);
void reeve_admitted_consume (ReeveAdmitted *admitted, const char *operation);
static void
culprit_work (void)
{
  reeve_tool_call ();
}
void
culprit_calls (void)
{
  culprit_work ();
}
void
culprit_passes (void)
{
  later (culprit_work);
}
static const Func culprit_table[] = { culprit_work };
void
culprit_looks_up (int i)
{
  culprit_table[i] ();
}
void
culprit_keeps (ReeveAdmitted *admitted)
{
  reeve_store_commit ();
}
int
culprit_peeps (void)
{
  return reeve_admission_run_row ();
}
void
innocent_holder (ReeveAdmitted *admitted)
{
  reeve_admitted_consume (admitted, "x");
  reeve_store_commit ();
}
void
innocent_caller (ReeveAdmitted *admitted)
{
  innocent_holder (admitted);
}
int
innocent_other (int i)
{
  return i + 1;
}
"""

# how a right could come into the world beside the gate
MAKERS = ("g_new0 (ReeveAdmitted, 1);", "ReeveAdmitted forged = { 0 };", "(ReeveAdmitted *) memory;", "sizeof (ReeveAdmitted);", "struct _ReeveAdmitted\n{", "ReeveAdmitted forged[2];",
          '#include "governance/admission-private.h"')


def check_itself():
    """A source with every fault in it is found out, and what is right in it is not."""
    with tempfile.TemporaryDirectory(prefix="reeve-culprit-") as name:
        folder = pathlib.Path(name)
        for part in ("host", "plugin-api", "libreeve-runtime.a.p"):
            (folder / part).mkdir()
        (folder / "host" / "culprit.c").write_text(CULPRIT, encoding="utf-8")
        (folder / "plugin-api" / "tool.c").write_text("void\nreeve_tool_call (void)\n{\n  REEVE_TOOL_GET_IFACE (0);\n}\n", encoding="utf-8")
        output = folder / "libreeve-runtime.a.p" / "culprit.c.o"
        subprocess.run(["cc", "-c", "-O0", "-fPIC", "-o", output, folder / "host" / "culprit.c"], check=True)
        graph = Graph(folder)
        said = "\n".join([*check_interfaces(graph, folder), *check_reach(graph, folder)])
        for wanted in ("runtime/culprit.c: culprit_work calls reeve_tool_call", "culprit_calls reaches reeve_tool_call and takes no",
                       "culprit_passes reaches reeve_tool_call and takes no", "culprit_looks_up reaches reeve_tool_call and takes no",
                       "culprit_keeps reaches reeve_store_commit and consumes no right"):
            if wanted not in said:
                yield f"the proof does not see that {wanted}"
        if "culprit_peeps refers to reeve_admission_run_row" not in "\n".join(check_makers(graph)):
            yield "the proof does not see who refers to what is the gate's own"
        for text in MAKERS:
            (folder / "host" / "maker.c").write_text(text, encoding="utf-8")
            if not any(fault.startswith("host/maker.c") for fault in check_sources(folder)):
                yield f"the proof does not see {text}"
        if "innocent" in said:
            yield f"the proof accuses the innocent: {said}"


def check_reach(graph, source):
    """Whoever reaches an effect holds the right to it."""
    takes = {(file, name) for file, name, params, _body in definitions(source / "host") if re.search(r"\bReeveAdmitted \*", params)}
    effects = EFFECTS | {WATCH + name for name in EFFECTS}

    def protected(node):
        return node[0] is not None and (node[0].source, node[1]) in takes

    def stop(node):
        return protected(node) or node[1] in WITHOUT

    reaching = set()
    for found in graph.objects:
        if found.source == "locks-watch.c":
            continue
        for name in found.globals:
            node = (found, name)
            reached = {n for _o, n in graph.reach(node, stop)}
            direct = {n for n in reached if n in effects}
            if not direct:
                continue
            reaching.add(name)
            if name not in WITHOUT and not protected(node):
                yield f"{place_of(found)}: {name} reaches {', '.join(sorted(direct))} and takes no ReeveAdmitted"
            if protected(node) or name in CONSUMERS:
                if not CONSUME & {n for _o, n in graph.reach(node, lambda _node: False)}:
                    yield f"{place_of(found)}: {name} reaches {', '.join(sorted(direct))} and consumes no right"
    yield from (f"{name} reaches no effect any more: take it out of WITHOUT" for name in sorted(set(WITHOUT) - reaching))
    yield from (f"{name} is called by nobody: is it still the effect?" for name in sorted(EFFECTS)
                if name != "reeve_store_drop_scope" and not graph.callers(name) | graph.callers(WATCH + name))


def main():
    build, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    graph = Graph(build / "host")
    faults = [*check_itself(), *check_makers(graph), *check_sources(source), *check_conversions(build, source), *check_interfaces(graph, source),
              *check_reach(graph, source)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
