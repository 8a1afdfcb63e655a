// SPDX-License-Identifier: LGPL-2.1-or-later
// The peer of bench_policy.py: the same rules in casbin. Prints decisions a second and a digit for each of the first requests.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('./peers/package.json', import.meta.url));
const { newEnforcer, newModelFromString } = require('casbin');
const { rules, requests } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const seconds = Number(process.argv[3]);
const enforcer = await newEnforcer(newModelFromString(`[request_definition]
r = sub, tool, operation
[policy_definition]
p = who, tool, operation, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.tool == p.tool && (p.operation == "*" || r.operation == p.operation) && g(r.sub, p.who)`));
await enforcer.addPolicies(rules);
for (const agent of new Set(requests.map(([a]) => a)))
  await enforcer.addGroupingPolicy(agent, 'org');
const decide = ([agent, tool, operation]) => enforcer.enforceSync(agent, tool, operation);
const verdicts = requests.slice(0, 500).map(r => (decide(r) ? '1' : '0')).join('');
let count = 0;
const start = performance.now();
while (performance.now() < start + seconds * 1000)
  for (let i = 0; i < 16; i++, count++)
    decide(requests[count % requests.length]);
console.log(`${(count / (performance.now() - start) * 1000).toFixed(0)} ${verdicts}`);
