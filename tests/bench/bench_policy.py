#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goal 13: decisions a second of the policy engine, as ratio to casbin's with the same 200 rules in the same interleaved run, and the cost
at 10,000 rules as ratio to that at 200. Both engines must agree on every request. One core; the best of the rounds counts."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers")
OPERATIONS = ("read", "write", "list", "delete", "move")


def make(rules, agents=20, requests=4096):
    """An org that denies some tools, agents that may do some operations with some tools, and what they ask for."""
    rnd = random.Random(42)
    tools = [f"{kind}_{verb}_{n}" for kind in ("mes", "erp", "crm", "docs", "mail") for verb in ("get", "put", "find", "scan")
             for n in range(max(1, rules // 80))]
    denied = rnd.sample(tools, max(1, rules // 20))
    entries, share = {}, (rules - len(denied)) // agents
    for number in range(agents):
        chosen = [(tool, operation) for tool in tools for operation in OPERATIONS]
        entries[f"agent{number}"] = rnd.sample(chosen, min(share, len(chosen)))
    asked = []
    for _ in range(requests):
        agent = rnd.choice(list(entries))
        tool, operation = rnd.choice(entries[agent]) if rnd.random() < 0.6 else (rnd.choice(tools), rnd.choice(OPERATIONS))
        asked.append([agent, tool, operation])
    policies = {}
    for agent, pairs in entries.items():
        by_tool = {}
        for tool, operation in pairs:
            by_tool.setdefault(tool, []).append(operation)
        policies[agent] = {"tools": [{"tool_name": t, "effect": "allow", "constraints": {"operations": o}} for t, o in by_tool.items()]}
    rows = [["org", tool, "*", "deny"] for tool in denied]
    rows += [[agent, tool, operation, "allow"] for agent, pairs in entries.items() for tool, operation in pairs]
    return {"org": {"tools": [{"tool_name": tool, "effect": "deny"} for tool in denied]}, "agents": policies, "rules": rows, "requests": asked}


def run(command, path, seconds):
    done = subprocess.run([*command, path, str(seconds)], capture_output=True, text=True, check=True)
    rate, verdicts = done.stdout.split()
    return float(rate), verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("program", help="bench-policy of the build")
    options = parser.parse_args()
    if not os.path.isdir(os.path.join(PEERS, "node_modules", "casbin")):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=PEERS, check=True)
    ratios, costs, faults = [], [], []
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as folder:
        paths = {}
        for size in (200, 10000):
            paths[size] = os.path.join(folder, f"{size}.json")
            with open(paths[size], "w", encoding="utf-8") as file:
                json.dump(make(size), file)
        for number in range(options.rounds):
            ours, said = run([options.program], paths[200], options.seconds)
            peer, heard = run(["node", os.path.join(HERE, "policy.mjs")], paths[200], options.seconds)
            many, _ = run([options.program], paths[10000], options.seconds)
            if said[:len(heard)] != heard:
                faults.append(f"round {number + 1}: the engines do not agree")
            ratios.append(ours / peer)
            costs.append(ours / many)
            print(f"round {number + 1}: 200 rules {ours:,.0f}/s, casbin {peer:,.0f}/s, 10,000 rules {many:,.0f}/s; allowed {said.count('1')} of {len(said)}")
    print(f"goal 13: {max(ratios):.0f} x casbin at 200 rules (goal 200); 10,000 rules cost {min(costs):.2f} x (goal 2)")
    if max(ratios) < 200:
        faults.append("fewer than 200 x casbin")
    if min(costs) > 2:
        faults.append("10,000 rules cost more than twice as much")
    for fault in faults:
        print("FAIL:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
