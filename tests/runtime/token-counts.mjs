// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts the tokens of the texts in token-corpus.json again. It runs by hand, never in the suite, in a folder with
// js-tiktoken 1.0.21, @anthropic-ai/tokenizer 0.0.4, llama3-tokenizer-js 1.2.0, llama-tokenizer-js 1.2.2 and mistral-tokenizer-js 1.0.0:
// node token-counts.mjs token-corpus.json
import { countTokens } from '@anthropic-ai/tokenizer';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import o200k from 'js-tiktoken/ranks/o200k_base';
import p50k from 'js-tiktoken/ranks/p50k_base';
import llama2 from 'llama-tokenizer-js';
import llama3 from 'llama3-tokenizer-js';
import mistral from 'mistral-tokenizer-js';
import { readFileSync, writeFileSync } from 'node:fs';

const ranked = Object.entries({ o200k_base: o200k, cl100k_base: cl100k, p50k_base: p50k }).map(([name, ranks]) => {
  const encoding = new Tiktoken(ranks);
  return [name, (text) => encoding.encode(text, [], []).length];
});
const counters = Object.fromEntries([
  ...ranked,
  ['claude', countTokens],
  ['llama-3', (text) => llama3.encode(text, { bos: false, eos: false }).length],
  ['llama-2', (text) => llama2.encode(text, false, false).length],
  ['mistral', (text) => mistral.encode(text, false, false).length],
]);
const texts = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const one of texts) one.counts = Object.fromEntries(Object.entries(counters).map(([name, count]) => [name, count(one.text)]));
writeFileSync(process.argv[2], `[\n${texts.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
