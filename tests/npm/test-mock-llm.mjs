// SPDX-License-Identifier: LGPL-2.1-or-later
// Missions with a server of somebody else's making behind the host: mock-llm, which speaks OpenAI's chat completions.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { startHost } from './host.mjs';

let peer;
let address;
let host;
let agent;

/** A port that was free a moment ago: the peer cannot pick one itself. */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function startPeer() {
  const port = await freePort();
  const main = new URL('node_modules/@dwmkerr/mock-llm/dist/main.js', import.meta.url).pathname;
  peer = spawn(process.execPath, [main], { stdio: 'ignore', env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) } });
  address = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 300; i++) {
    try {
      if ((await fetch(`${address}/health`)).ok) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('mock-llm is not ready after 30 s');
}

async function configure(rules) {
  await fetch(`${address}/config`, { method: 'DELETE' });
  const response = await fetch(`${address}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streaming: { chunkSize: 10, chunkIntervalMs: 5 }, rules }),
  });
  assert.ok(response.ok, await response.text());
}

const path = '/v1/chat/completions';
const message = (content, finish_reason, more = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4',
  choices: [{ index: 0, message: { role: 'assistant', content, ...more }, finish_reason }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
});
const answer = (body, status = 200) => ({ status, content: JSON.stringify(body) });

async function mission(text, more = {}) {
  const { status, body } = await host.call('POST', '/api/v1/agents/execute', { agent_id: agent, mission: text, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

before(async () => {
  await startPeer();
  host = await startHost(
    [
      'profile: dev',
      'llm:',
      '  default: peer/gpt-4',
      '  providers:',
      `    - {id: peer, plugin: llm-openai, settings: {base_url: "${address}/v1", api_key: "sk-x"}}`,
      '',
    ].join('\n'),
  );
  const made = await host.call('POST', '/api/v1/admin/agents', {
    name: 'tester',
    initial_definition: { system_prompt: 'Test.', tools: ['calculate'] },
  });
  agent = made.body.agent_id;
});
after(async () => {
  const code = await host?.stop();
  peer?.kill();
  if (host) assert.equal(code, 0, 'the host ends cleanly');
});

test('an echo', async () => {
  const run = await mission('Hello there');
  assert.equal(run.success, true, JSON.stringify(run));
  assert.equal(run.answer, 'Hello there');
});

test('a tool call and an answer', async () => {
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'calculate', arguments: '{"expression":"6*7"}' } }];
  await configure([
    { path, sequence: 0, response: answer(message(null, 'tool_calls', { tool_calls: calls })) },
    { path, sequence: 1, response: answer(message('It is 42.', 'stop')) },
  ]);
  const run = await mission('What is 6*7?');
  assert.equal(run.answer, 'It is 42.');
  assert.deepEqual(run.tool_calls.map((c) => [c.name, c.outcome]), [['calculate', 'succeeded']]);
  assert.deepEqual([run.usage.input_tokens, run.usage.output_tokens], [14, 6]);
});

test('an error of the service', async () => {
  const body = { error: { message: 'Incorrect API key provided.', type: 'invalid_request_error', param: null, code: 'invalid_api_key' } };
  await configure([{ path, match: '@', response: answer(body, 401) }]);
  const run = await mission('anything');
  assert.equal(run.success, false);
  assert.equal(run.status, 'failed');
  assert.ok(run.error.code);
});

test('a stream', async () => {
  await configure([{ path, match: '@', response: answer(message('one two three four five six seven eight nine ten', 'stop')) }]);
  const response = await fetch(`${host.url}/api/v1/agents/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${host.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent_id: agent, mission: 'count', stream: true }),
  });
  const text = await response.text();
  const events = text.trim().split('\n\n');
  const deltas = events.filter((e) => e.startsWith('event: message.delta')).map((e) => JSON.parse(e.split('\ndata: ')[1]).delta);
  assert.equal(deltas.join(''), 'one two three four five six seven eight nine ten', text);
  assert.ok(events.at(-1).startsWith('event: run.completed'));
});
