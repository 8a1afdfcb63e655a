#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/configuration.md from data/reeve.schema.json: `describe_config.py SCHEMA.json OUT.md`. A test holds the two together."""

import json
import os
import re
import sys

HEAD = """# Configuration: reeve.yaml

<!-- written by host/base/describe_config.py from data/reeve.schema.json: change the schema, not this page -->

`reeve-host --config reeve.yaml` reads one YAML document. Over the built-in values lie, in this order, the [profile](#profiles), the
file, [variables of the environment](#environment-variables) and the command line. Objects are merged, lists and values replaced. There
is no other place that settings come from: none is kept in the store.

- A key that does not exist, a wrong type or a bad value stops the start with exit code 78 and one line for each fault, with file, line and
  key. `--check-config` only checks, and `reevectl config check FILE` where there is no host; `--print-config` prints the effective
  values, each with where it came from, secrets masked.
- `${NAME}` anywhere in a value, and a value that is `env:NAME`, take the environment's value; `${NAME:-other}` has a fallback, `$${` is
  a plain `${`. A variable that is not set is a fault.
- Sizes are bytes, or numbers with B, kB, MB, GB, KiB, MiB, GiB; durations are seconds, or numbers with s, m, h, d.
- A key marked *planned* is checked like any other; setting it gives a warning, for its feature is not built yet.
- Settings of a plugin (`settings`) are held to the schema in its manifest; its README says what they mean.
- A plugin that cannot be used is left out, with a warning, and `reevectl plugins list` says why. Only where this page's keys name it
  (`store.plugin`, `llm.providers[].plugin`, `authentication.providers[].plugin`) is that a fault like the others: exit code 78.
- Logs are one JSON object a line on standard error: `time`, `level` (debug, info, notice, warning, error, critical), `message`,
  `domain`, and for whom the work is: `tenant_id`, `user_id`, `agent_id`, `run_id`, `session_id`,
  `request_id`, `trace_id`, `span_id`; see tracing.md.

## Profiles

The profile is what `--profile` names, else `REEVE_PROFILE`, else the file's key `profile`. Where none of them is there, a variable
`ENVIRONMENT` that is exactly `dev`, `staging` or `prod` chooses it: the name is not Reeve's own, so it never changes what somebody
said to Reeve. Where even that says nothing, it is `dev`. Besides the built-in ones a profile is a file in `profiles/` beside the
configuration or in the installed data folder; one that names another under `profile` builds on it.

| | `dev` | `enterprise` | `staging` | `prod` |
|---|---|---|---|---|
| builds on | | | `enterprise` | `enterprise` |
{profiles}| tokens signed by a shared secret (HS256) | taken where configured | refused | refused | refused |
| first-party tools | allowed to every tenant | allowed by nobody | allowed by nobody | allowed by nobody |

What a developer's machine may do and others not asks whether the profile is `dev` or builds on it; a profile that builds on
nothing is treated as `enterprise` is.

## What is refused

Settings that one developer may have for himself and a host of many people may not: every profile but `dev` refuses to start with
them (exit code 78; each line names file, line and key, what is wrong and what to do), `--check-config` included. `reevectl doctor`
shows the same list for the host that runs, in `dev` as advice. Secrets that come from the environment may be anything but known.
What is refused always, by `dev` too, contradicts what the configuration asks for itself.

| rule | | what is wrong | what to do |
|---|---|---|---|
{rules}
A master key that lies in the state folder that it protects is not refused, for a first start makes it there: it is warned of at every
start, and by the doctor. See [encryption.md](encryption.md) for better places.

## Names of other products

A file that was written for another product is taken where it means the same here, and refused with what to write where it does not.
Of two names of one key only one may be there.

| theirs | Reeve's |
|---|---|
{aliases}
A provider of identities may be written `{type: jwt, issuer: …}` (`jwt`, `api_key`, `basic`): it names the plugin, and what is no key of a
provider is a setting of that plugin. The level of the log is taken in any case.

## Environment variables

A variable counts as text; nothing in it is expanded. A list takes words joined by commas. An empty variable says nothing. Where a
value came from a variable, `--print-config` says `environment NAME`.

| variable | key |
|---|---|
{variables}
Of the variables of other products, these have a successor; those that are read themselves say so. Those whose name means nothing else are warned of
at the start while the successor is not set.

| theirs | Reeve's |
|---|---|
{theirs}
"""

# how the table of profiles calls what it shows
PROFILE_ROWS = (
    ("requests a minute", "limits.requests_per_minute"),
    ("least level of the log", "logging.level"),
    ("origins whose pages may call", "server.cors.origins"),
    ("addresses of the network without TLS", "server.allow_cleartext"),
    ("new versions of agents are published at once", "agents.auto_publish"),
)
PROFILES = ("dev", "enterprise", "staging", "prod")

# variables that others have, and what says the same here
THEIRS = (
    ("`TASKFORCE_PROFILE`, `ENVIRONMENT`", "`REEVE_PROFILE`; `ENVIRONMENT` is read as said above"),
    ("`TASKFORCE_ENCRYPTION_KEY`, `ENCRYPTION_KEY`, `SECRET_KEY`", "`REEVE_ENCRYPTION_KEY`, base64 of 32 bytes, see encryption.md"),
    ("`LOG_LEVEL`", "`REEVE_LOG_LEVEL`"),
    ("`CORS_ALLOWED_ORIGINS`", "`REEVE_CORS_ORIGINS`"),
    ("`RATE_LIMIT_PER_MINUTE`", "`REEVE_REQUESTS_PER_MINUTE`"),
    ("`CHUNK_SIZE_TOKENS`, `CHUNK_OVERLAP_TOKENS`", "`REEVE_CHUNK_SIZE_TOKENS`, `REEVE_CHUNK_OVERLAP_TOKENS`"),
    ("`LITELLM_DEFAULT_MODEL`, `OLLAMA_DEFAULT_MODEL`", "`REEVE_LLM_DEFAULT`"),
    ("`LITELLM_EMBEDDING_MODEL`", "`REEVE_EMBEDDING_MODEL`"),
    ("`OPENAI_API_KEY`, `LITELLM_API_KEY`, `AZURE_OPENAI_API_KEY`", '`api_key: "env:OPENAI_API_KEY"` in the settings of a provider of `llm.providers`'),
    ("`LITELLM_BASE_URL`, `OLLAMA_BASE_URL`, `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_DEPLOYMENT`",
     '`base_url: "${OLLAMA_BASE_URL}/v1"` in the settings of a provider of `llm.providers`'),
    ("`OIDC_ISSUER_URL`, `OIDC_AUDIENCE`", '`issuer: "env:OIDC_ISSUER_URL"`, `audience` in the settings of an auth-jwt provider'),
    ("`JWT_SECRET`", '`secret_key: "env:JWT_SECRET"` in the settings of an auth-jwt provider, in profile `dev` only'),
    ("`DEV_JWT_SECRET`", "`REEVE_DEV_JWT_SECRET`; read by this name too, in profile `dev` only"),
    ("`CONTROL_PLANE_ADDRESS`", "`REEVE_URL`, of reevectl"),
    ("`AP_API_KEY`", "`REEVE_TOKEN`, of reevectl; a host makes its own keys, and has no way to do without one"),
    ("`OTEL_EXPORTER_OTLP_ENDPOINT`", "`REEVE_OTLP_ENDPOINT`"),
    ("`OPA_URL`", "`REEVE_OPA_URL`; `policy.opa.mode` says whether it is asked"),
    ("`VECTOR_TOP_K`", "`rag_config.max_results` in the definition of an agent"),
    ("`DATABASE_URL`, `POSTGRES_USER`, `POSTGRES_PASSWORD`, `POSTGRES_DB`", "none: stores are files in the state folder (`--state-dir`)"),
)


def kind(schema):
    """What may stand there, in a few words."""
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " \\| ".join(kind(form) for form in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = []
    for name in types:
        if name == "array":
            items = schema["items"]
            words.append("list" if "properties" in items else f"list of {kind(items)}")
        elif name == "integer":
            words.append({"bytes": "size", "seconds": "duration"}.get(schema.get("x-reeve-unit"), "integer"))
        else:
            words.append(name)
    text = " \\| ".join(words)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        text += f", {low} to {high}"
    elif low is not None:
        text += f", from {low}"
    return text


def rows(schema, path, planned):
    """(key, type, default, text) of everything below an object."""
    for name, member in schema.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        here = planned or member.get("x-reeve-planned", False)
        if "properties" in member and "null" not in member["type"]:
            yield from rows(member, key, here)
            continue
        default = "" if "default" not in member else f"`{json.dumps(member['default'], ensure_ascii=False)}`"
        if name in schema.get("required", []):
            default = "*required*"
        text = member.get("description", "") + (" *(planned)*" if here else "")
        yield key, kind(member), default, text
        for more, suffix in ((member.get("items"), "[]"), (member.get("additionalProperties"), ".*")):
            if isinstance(more, dict) and "properties" in more:
                yield from rows(more, key + suffix, here)


def variables(schema, path=""):
    """(variable, key) of everything below an object."""
    for name, member in schema.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        if "x-reeve-variable" in member:
            yield member["x-reeve-variable"], key
        yield from variables(member, key)


def find(schema, key):
    for name in key.split("."):
        schema = schema["properties"][name]
    return schema


def profile(name, folder):
    """{key: value} of a built-in profile, over those that it builds on. Their YAML is plain: sections of two spaces each."""
    with open(os.path.join(folder, name + ".yaml"), encoding="utf-8") as file:
        lines = [line.rstrip() for line in file if line.strip() and not line.startswith("#")]
    values, path = {}, []
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 2
        word, _, value = line.strip().partition(":")
        path[depth:] = [word]
        if value:
            values[".".join(path)] = value.strip()
    ground = values.pop("profile")
    return {**(profile(ground, folder) if ground != name else {}), **values}


def profile_rows(schema, folder):
    told = [profile(name, folder) for name in PROFILES]
    for text, key in PROFILE_ROWS:
        usual = json.dumps(find(schema, key).get("default"))
        yield f"| {text} (`{key}`) | " + " | ".join("`" + values.get(key, usual).strip('"') + "`" for values in told) + " |\n"


def guard_rules(source):
    """The rows of the list in config-guard.c: (id, refused, what, remedy); one that ends with TRUE is refused in every profile."""
    with open(source, encoding="utf-8") as file:
        text = file.read()
    block = re.search(r"reeve_config_guard_rules\[\] = \{(.*?)\{ NULL \}", text, re.S)[1]
    word = r'((?:"[^"]*"\s*)+)'
    for row in re.findall(r"\{ " + word + ", " + word + r",\s*(TRUE|FALSE),\s*" + word + r",\s*" + word + r"(?:,\s*(TRUE)\s*)?\}", block):
        name, _feature, refused, what, remedy, always = ("".join(re.findall(r'"([^"]*)"', part)) or part for part in row)
        yield f"| `{name}` | {'refused always' if always else 'refused' if refused == 'TRUE' else 'told'} | {what} | {remedy} |\n"


def alias_rows(source):
    """The rows of the table in config-aliases.c."""
    with open(source, encoding="utf-8") as file:
        text = file.read()
    words = {name: "".join(re.findall(r'"([^"]*)"', value)) for name, value in re.findall(r"#define ([A-Z]+)\s+((?:\\\n|[^\n])*)", text)}
    block = re.search(r"reeve_config_aliases_rows\[\] = \{(.*?)\n\};", text, re.S)[1]
    part = r'(NULL|[A-Z]+|(?:"[^"]*"\s*)+)'
    for row in re.findall(r"\{ " + r",\s*".join([part] * 5) + r"\s*\}", block):
        theirs, value, ours, becomes, refused = (None if p == "NULL" else words[p] if p in words else "".join(re.findall(r'"([^"]*)"', p)) for p in row)
        left = f"`{theirs}{': ' + value if value else ''}`"
        right = f"refused: {refused}" if refused else f"`{ours}{': ' + becomes if becomes else ''}`" if ours else "is so anyway"
        yield f"| {left} | {right} |\n"


def head(schema, folder):
    return (HEAD.replace("{profiles}", "".join(profile_rows(schema, folder)))
            .replace("{aliases}", "".join(alias_rows(os.path.join(os.path.dirname(os.path.abspath(__file__)), "config-aliases.c"))))
            .replace("{rules}", "".join(guard_rules(os.path.join(os.path.dirname(os.path.abspath(__file__)), "config-guard.c"))))
            .replace("{variables}", "".join(f"| `{name}` | `{key}` |\n" for name, key in variables(schema)))
            .replace("{theirs}", "".join(f"| {theirs} | {ours} |\n" for theirs, ours in THEIRS).rstrip("\n")))


def describe(schema, folder):
    lines = [head(schema, folder)]
    for name, section in schema["properties"].items():
        lines.append(f"## {name}\n")
        lines.append(section["description"][0].upper() + section["description"][1:] + ("." if section["description"][-1] != "." else "") + "\n")
        lines += ["| key | type | default | |", "|---|---|---|---|"]
        inner = {"properties": {name: section}} if "properties" not in section else section
        found = list(rows(inner, "" if "properties" not in section else name, section.get("x-reeve-planned", False)))
        lines += [f"| `{key}` | {what} | {default} | {text} |" for key, what, default, text in found]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    source, target = sys.argv[1:3]
    with open(source, encoding="utf-8") as file:
        text = describe(json.load(file), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "profiles"))
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
