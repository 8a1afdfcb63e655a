// SPDX-License-Identifier: LGPL-2.1-or-later
// Our JSON Schema validator and ajv say the same: about every case of tests/base/schema-cases.json, and about every instance
// of every case under the schema of every other.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { build, source } from './host.mjs';

const cases = JSON.parse(readFileSync(join(source, 'tests/base/schema-cases.json'), 'utf8'));

function compile(schema) {
  const ajv = new Ajv2020({ strict: false, ownProperties: true, multipleOfPrecision: 9, logger: false });
  addFormats(ajv);
  return ajv.compile(schema);
}

// where ajv is known to be wrong, and why; every line is needed, else the last test fails
const KNOWN = [
  {
    why: 'ajv takes all items for evaluated beside contains; draft 2020-12, 10.3.1.3, says those that it applies to',
    covers: (schema) => schema.includes('"contains"') && schema.includes('"unevaluatedItems"'),
  },
  {
    why: 'the quotient of so large a number and a fraction has no digits left behind the point',
    covers: (schema, instance) => schema.includes('"multipleOf"') && Number(instance) > 2 ** 52,
  },
  {
    why: "ajv's comparison of values calls toString, also where it is a member of the instance",
    covers: (_schema, instance) => instance.includes('"toString"'),
  },
];

/** Whether ajv takes the instance; undefined where it is known to be wrong and does not say `expected`. */
function verdict(validate, schema, instance, expected) {
  let taken;
  try {
    taken = validate(instance);
  } catch {
    taken = undefined;
  }
  if (taken === expected) return taken;
  const known = KNOWN.find((one) => one.covers(JSON.stringify(schema), JSON.stringify(instance)));
  if (known) known.used = true;
  return known ? expected : taken;
}

for (const keyword of new Set(cases.map((one) => one.keyword))) {
  test(`ajv agrees with the cases of ${keyword}`, () => {
    for (const { schema, valid, invalid } of cases.filter((one) => one.keyword === keyword)) {
      const validate = compile(schema);
      for (const instance of valid) assert.equal(verdict(validate, schema, instance, true), true, `${JSON.stringify(schema)} takes ${JSON.stringify(instance)}`);
      for (const instance of invalid) assert.equal(verdict(validate, schema, instance, false), false, `${JSON.stringify(schema)} refuses ${JSON.stringify(instance)}`);
    }
  });
}

test('both say the same about every instance under every schema', () => {
  const texts = new Set(cases.flatMap((one) => [...one.valid, ...one.invalid]).map((instance) => JSON.stringify(instance)));
  const instances = [...texts].map((text) => JSON.parse(text));
  const path = join(tmpdir(), 'instances.json');
  writeFileSync(path, JSON.stringify(instances));
  const input = cases.map((one) => `${JSON.stringify(one.schema)}\n`).join('');
  const done = spawnSync(join(build, 'tests/base/schema-verdict'), [path], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(done.status, 0, done.stderr);
  const lines = done.stdout.trimEnd().split('\n');
  assert.equal(lines.length, cases.length);
  const faults = [];
  for (const [i, { schema }] of cases.entries()) {
    const validate = compile(schema);
    assert.equal(lines[i].length, instances.length, JSON.stringify(schema));
    for (const [j, instance] of instances.entries()) {
      const ours = lines[i][j] === '1';
      if (verdict(validate, schema, instance, ours) !== ours) faults.push(`${JSON.stringify(schema)} ${JSON.stringify(instance)}: ours ${ours}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('every known difference is one still', () => {
  for (const { why, used } of KNOWN) assert.ok(used, why);
});
