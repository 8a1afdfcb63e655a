// SPDX-License-Identifier: LGPL-2.1-or-later
// ajv as a second opinion on tests/base/schema-cases.json, which host/base's own validator is held to: same verdict on each case.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const cases = JSON.parse(readFileSync(new URL('../base/schema-cases.json', import.meta.url), 'utf8'));
// ajv counts characters and matches patterns by code points, asserts formats and ignores unknown keywords, as we do
// decimal fractions: both allow for their rounding
const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 9, unicodeRegExp: true, validateFormats: true, logger: false });
addFormats(ajv);

assert.ok(cases.length > 100, 'the cases are there');

// a case with a member "ajv" says there how ajv departs from the specification; few may
const agreed = cases.filter((row) => !('ajv' in row));
assert.ok(cases.length - agreed.length <= 2);

for (const [i, { keyword, schema, valid, invalid }] of agreed.entries()) {
  test(`${i} ${keyword}`, () => {
    const validate = ajv.compile(schema);
    for (const instance of valid) assert.equal(validate(instance), true, JSON.stringify([schema, instance]));
    for (const instance of invalid) assert.equal(validate(instance), false, JSON.stringify([schema, instance]));
  });
}
