# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the command line's table, its completion and the man page's section of commands."""

from .schema_c import text
from .schemas import body_of, letter, places_of
from .table import TableError, clis
from .table_c import HEAD


def commands(table):
    """(operation, command), ordered by noun and verb."""
    found = sorted(((o, cli) for o in table.operations for _member, cli in clis(o)), key=lambda row: (row[1]["noun"], row[1]["verb"]))
    for (one, cli), (other, after) in zip(found, found[1:]):
        if (cli["noun"], cli["verb"]) == (after["noun"], after["verb"]):
            raise TableError(f"{other['noun']}.json: {other['name']}: cli: {cli['noun']} {cli['verb']} is there twice, also in {one['name']}")
    return found


def source(table):
    lines = [HEAD + '#include "operations/cli-commands.h"\n']
    rows = []
    for number, (operation, cli) in enumerate(commands(table)):
        for kind in ("args", "columns"):
            lines.append(f"static const char *const {kind}_{number}[] = {{ {', '.join([text(a) for a in cli[kind]] + ['NULL'])} }};")
        members = [f"{{ {text(n)}, REEVE_PARAMETER_{place}, '{kind}', {truth(required)} }}" for n, place, kind, required in words_of(table, operation)]
        lines.append(f"static const ReeveParameter parameters_{number}[] = {{ {', '.join(members + ['{ NULL }'])} }};")
        method, path = operation["route"].split(" ", 1)
        rows.append(f"  {{ {text(cli['noun'])}, {text(cli['verb'])}, {text(operation['name'])}, N_ ({text(operation['summary'])}), "
                    f"{text(cli['example'])}, args_{number}, columns_{number}, {text(method)}, {text(path)}, parameters_{number}, "
                    f"{truth('body' in operation)}, {truth('multipart' in operation['flags'])}, "
                    f"{text(cli['generate']) if 'generate' in cli else 'NULL'} }},")
    lines.append("\nconst ReeveCliCommand reeve_cli_commands[] = {\n" + "\n".join(rows) + "\n  { NULL }\n};\n")
    return "\n".join(lines)


def truth(value):
    return "TRUE" if value else "FALSE"


def words_of(table, operation):
    """(name, place, letter, required) of every parameter, body members with the letter of what is typed for them; f: a file that holds it."""
    members = (body_of(table, operation) or {}).get("properties", {})
    for name, place, kind, required, secret in places_of(table, operation):
        yield name, place, "f" if secret else member_letter(table, members[name]) if place == "BODY" else kind, required


def member_letter(table, schema):
    for choice in schema.get("anyOf", []):  # what is typed is never null
        if choice.get("type") != "null":
            schema = choice
    if schema.get("$ref", "").endswith("Money"):
        return "m"
    schema = table.resolve(schema)
    kind = schema.get("type", "string")
    if isinstance(kind, list) and len(kind) == 2 and "null" in kind:  # what is typed is never null
        kind = next(k for k in kind if k != "null")
        schema = {**schema, "type": kind}
    if kind == "array" and table.resolve(schema.get("items", {})).get("type") == "string":
        return "l"
    return letter(table, schema) if kind in ("string", "integer", "number", "boolean") else "j"


def options(table, operation, cli):
    """Parameters that are not positional."""
    return [n for n, *_ in places_of(table, operation) if n not in cli["args"]]


# what reevectl does by itself, besides the operations: its own verbs, and options of its own of verbs that there are
OWN = {
    ("audit", "export"): ["--output"],
    ("audit", "proof"): ["--output"],
    ("audit", "verify"): ["--state-dir", "--export", "--proof", "--public-key", "--since", "--witness", "--quorum"],
    ("config", "check"): ["--profile"],
    ("plugins", "grant"): ["--param"],
    ("plugins", "settings"): ["--check", "--plugin-dir"],
    ("policy", "lint"): ["--strict"],
    ("policy", "test"): [],
    ("policy", "diff"): [],
    ("policy", "apply"): ["--dry-run", "--expected-revision", "--reason"],
    ("policy", "export"): [],
    ("policy", "who-can"): ["--resource-type"],
    ("policy", "can"): ["--resource-type"],
    ("prices", "import"): ["--dry-run"],
    ("run", ""): ["--stream"],
}


def completion(table):
    """A bash completion: nouns, then verbs, then options."""
    verbs, flags = {}, {}
    for operation, cli in commands(table):
        verbs.setdefault(cli["noun"], []).append(cli["verb"])
        flags[f"{cli['noun']} {cli['verb']}"] = [f"--{n.replace('_', '-')}" for n in options(table, operation, cli)]
    for (noun, verb), found in OWN.items():
        if verb not in verbs.setdefault(noun, []):
            verbs[noun].append(verb)
        known = flags.setdefault(f"{noun} {verb}", [])
        known += [option for option in found if option not in known]
    lines = ["# SPDX-License-Identifier: LGPL-2.1-or-later", "# Generated from the table of operations; do not edit.", "# shellcheck shell=bash",
             "_reevectl ()", "{", "  local cur=${COMP_WORDS[COMP_CWORD]} words", "  case $COMP_CWORD in",
             f"    1) words='{' '.join(verbs)} --help --json --human --url --token --ca --bus --state-dir --tenant' ;;",
             "    2)", "      case ${COMP_WORDS[1]} in"]
    lines += [f"        {noun}) words='{' '.join(v for v in found if v)}' ;;" for noun, found in verbs.items()]
    lines += ["        *) words='' ;;", "      esac ;;", "    *)", "      case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in"]
    # a noun that is a command by itself has an argument where others have their verb
    lines += [f"        '{name}'{'*' * name.endswith(' ')}) words='{' '.join(found)}' ;;" for name, found in flags.items() if found]
    lines += ["        *) words='' ;;", "      esac ;;", "  esac", "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")", "}",
              "complete -o default -F _reevectl reevectl", ""]
    return "\n".join(lines)


def man(table):
    """The section COMMANDS of reevectl(1), in roff."""
    lines = [".SH COMMANDS"]
    for operation, cli in commands(table):
        words = " ".join([cli["noun"], cli["verb"]] if cli["verb"] else [cli["noun"]])
        needed = {n: required for n, _place, _kind, required in words_of(table, operation)}
        args = " ".join(rf"\fI{a.upper()}\fR" if needed.get(a, a != "tenant_id") else rf"[\fI{a.upper()}\fR]" for a in cli["args"])
        lines += [".TP", rf"\fB{words}\fR {args}".rstrip(), operation["summary"] + "."]
        if found := options(table, operation, cli):
            lines.append("Options: " + ", ".join(rf"\fB\-\-{n.replace('_', '-')}\fR" for n in found) + ".")
        lines.append("Example: " + cli["example"].replace("-", r"\-").replace("\\\"", '"'))
    return "\n".join(lines) + "\n"
