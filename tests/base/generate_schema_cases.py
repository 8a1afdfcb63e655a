#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""schema-cases.json to C by host/base/schema_compile.py: the second producer of compiled schemas, for test-schema.c."""

import importlib.util
import json
import sys


def main():
    module, source, target = sys.argv[1:4]
    spec = importlib.util.spec_from_file_location("schema_compile", module)
    schema_compile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(schema_compile)
    with open(source, encoding="utf-8") as file:
        cases = json.load(file)
    compiler = schema_compile.SchemaCompiler("case")
    roots = [compiler.add(case["schema"]) for case in cases]
    with open(target, "w", encoding="utf-8") as file:
        file.write('#include "base/json-schema.h"\n' + compiler.text())
        file.write("extern const ReeveSchemaNode *const schema_cases[];\nextern const unsigned n_schema_cases;\n")
        file.write("const ReeveSchemaNode *const schema_cases[] = {\n  " + ",\n  ".join(roots) + "\n};\n")
        file.write(f"const unsigned n_schema_cases = {len(roots)};\n")


if __name__ == "__main__":
    main()
