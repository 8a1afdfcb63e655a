# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the typed D-Bus interfaces as introspection XML, and which operation each method is."""

from xml.sax.saxutils import quoteattr

from .schema_c import text
from .table import TableError, methods
from .table_c import HEAD

PREFIX = "io.reeve."


def interfaces(table):
    """(operation, typed method), ordered by method, by interface."""
    found = {}
    for operation in table.operations:
        for _member, bus in methods(operation):
            found.setdefault(bus["interface"], []).append((operation, bus))
    for name, rows in found.items():
        rows.sort(key=lambda row: row[1]["method"])
        for (one, bus), (other, after) in zip(rows, rows[1:]):
            if bus["method"] == after["method"]:
                raise TableError(f"{other['noun']}.json: {other['name']}: dbus: {name}.{bus['method']} is there twice, also in {one['name']}")
    return dict(sorted(found.items()))


def xml(table):
    lines = ["<!-- Generated from host/operations/<noun>.json; do not edit. -->", "<node>"]
    for name, rows in interfaces(table).items():
        lines.append(f"  <interface name={quoteattr(PREFIX + name)}>")
        for operation, bus in rows:
            lines.append(f"    <!-- {operation['summary']} ({operation['name']}) -->")
            lines.append(f"    <method name={quoteattr(bus['method'])}>")
            for arg in bus["in"]:
                lines.append(f"      <arg name={quoteattr(arg[0])} type={quoteattr(arg[1])} direction=\"in\"/>")
            for arg in bus["out"]:
                lines.append(f"      <arg name={quoteattr(arg[0])} type={quoteattr(arg[1])} direction=\"out\"/>")
            lines.append("    </method>")
        lines.append('    <property name="version" type="u" access="read"/>')
        lines.append("  </interface>")
    lines.append("</node>\n")
    return "\n".join(lines)


def source(table):
    lines = [HEAD + '#include "operations/dbus-methods.h"\n']
    rows = []
    for name, found in interfaces(table).items():
        for operation, bus in found:
            method = bus["method"]
            args = [f"{{ {text(a[0])}, {text(a[1])}, {text(a[2])} }}" for a in bus["in"]]
            lines.append(f"static const ReeveDbusArgument in_{name}_{method}[] = {{ {', '.join(args + ['{ NULL }'])} }};")
            outs = [f"{{ {text(o[1])}, {text(o[2]) if len(o) > 2 else 'NULL'}, G_GINT64_CONSTANT ({o[3] if len(o) > 3 else 0}) }}" for o in bus["out"]]
            lines.append(f"static const ReeveDbusResult out_{name}_{method}[] = {{ {', '.join(outs + ['{ NULL }'])} }};")
            page = any(o[2:3] == ["items"] for o in bus["out"]) and all(a[2] != "limit" for a in bus["in"])
            rows.append(f"  {{ {text(PREFIX + name)}, {text(method)}, {text(operation['name'])}, in_{name}_{method}, "
                        f"out_{name}_{method}, {text(bus['generate']) if 'generate' in bus else 'NULL'}, {'TRUE' if page else 'FALSE'} }},")
    lines.append("\nconst ReeveDbusMethod reeve_dbus_methods[] = {\n" + "\n".join(rows) + "\n  { NULL }\n};\n")
    lines.append("const char reeve_dbus_xml[] =")
    lines.append("\n".join("  " + text(line + "\n") for line in xml(table).splitlines()) + ";\n")
    return "\n".join(lines)
