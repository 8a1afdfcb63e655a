// SPDX-License-Identifier: LGPL-2.1-or-later
// The OpenAPI document that the host serves is clean under an independent linter, and its schemas compile.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { startHost } from './host.mjs';

const here = new URL('.', import.meta.url).pathname;
let host;
let document;

before(async () => {
  host = await startHost();
  const response = await fetch(`${host.url}/openapi.json`);
  assert.equal(response.status, 200);
  document = await response.json();
});
after(() => host?.stop());

/** Every object of the document that stands where a schema is expected, with the way to it. */
function* schemas(node, way) {
  if (Array.isArray(node)) {
    for (const [i, value] of node.entries()) yield* schemas(value, `${way}/${i}`);
  } else if (node && typeof node === 'object') {
    for (const [name, value] of Object.entries(node)) {
      if (name === 'schema') yield [`${way}/schema`, value];
      else yield* schemas(value, `${way}/${name}`);
    }
  }
}

test('is OpenAPI 3.1', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.ok(Object.keys(document.paths).length > 10, 'describes the interface');
});

test('is clean under Spectral', () => {
  const path = join(tmpdir(), 'openapi.json');
  writeFileSync(path, JSON.stringify(document));
  const words = ['node_modules/.bin/spectral', 'lint', '--ruleset', 'spectral.yaml', '--fail-severity', 'hint', path];
  const done = spawnSync(process.execPath, words, { cwd: here, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test('schemas compile in a second implementation', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  const whole = { $id: 'https://reeve.invalid/openapi.json', components: document.components ?? {} };
  ajv.addSchema(whole);
  const found = [...schemas(document.paths, '/paths')];
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) found.push([`/components/schemas/${name}`, schema]);
  assert.ok(found.length > 10, `${found.length} schemas`);
  for (const [way, schema] of found) {
    const text = JSON.stringify(schema).replaceAll('"#/', '"https://reeve.invalid/openapi.json#/');
    assert.doesNotThrow(() => ajv.compile(JSON.parse(text)), way);
  }
});

/** Every object of the document that has examples beside a schema, with the way to it. */
function* shown(node, way) {
  if (!node || typeof node !== 'object') return;
  if (node.schema && node.examples) yield [way, node];
  for (const [name, value] of Object.entries(node)) {
    if (name !== 'schema' && name !== 'examples') yield* shown(value, `${way}/${name}`);
  }
}

test('examples are valid in a second implementation', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ $id: 'https://reeve.invalid/openapi.json', components: document.components });
  let judged = 0;
  for (const [way, { schema, examples }] of shown(document.paths, '/paths')) {
    const text = JSON.stringify(schema).replaceAll('"#/', '"https://reeve.invalid/openapi.json#/');
    const validate = ajv.compile(JSON.parse(text));
    for (const [name, example] of Object.entries(examples)) {
      assert.ok(validate(example.value), `${way} ${name}: ${JSON.stringify(validate.errors)}`);
      judged += 1;
    }
  }
  assert.ok(judged > 50, `${judged} examples`);
});

test('operation identifiers are unique', () => {
  const seen = new Set();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!operation || typeof operation !== 'object' || !operation.responses) continue;
      assert.ok(operation.operationId, `${method} ${path}`);
      assert.ok(!seen.has(operation.operationId), `${operation.operationId} twice`);
      seen.add(operation.operationId);
    }
  }
});
