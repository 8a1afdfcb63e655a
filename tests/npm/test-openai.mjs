// SPDX-License-Identifier: LGPL-2.1-or-later
// The official OpenAI SDK, pointed at the host's own door, with an OpenAI-compatible server behind the host.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startHost, startMock } from './host.mjs';

let mock;
let host;
let client;

before(async () => {
  mock = await startMock({ content: 'Forty-two, as far as I know.' });
  host = await startHost(
    [
      'profile: dev',
      'llm:',
      '  default: local/gpt-4o-mini',
      '  providers:',
      `    - {id: local, plugin: llm-openai, settings: {base_url: "${mock.url}", api_key: "sk-mock"}}`,
      '',
    ].join('\n'),
  );
  client = new OpenAI({ apiKey: host.key, baseURL: `${host.url}/v1`, maxRetries: 0 });
});
after(async () => {
  const code = await host?.stop();
  await mock?.stop();
  if (host) assert.equal(code, 0, 'the host ends cleanly');
});

const question = [{ role: 'user', content: 'What is six times seven?' }];

test('lists models', async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model);
  assert.ok(models.length > 0);
  for (const model of models) {
    assert.equal(model.object, 'model');
    assert.equal(typeof model.id, 'string');
  }
});

test('completes a chat', async () => {
  const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages: question });
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(answer.choices[0].message.content, 'Forty-two, as far as I know.');
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('streams a chat', async () => {
  const stream = await client.chat.completions.create({
    model: 'gpt-4o-mini',
    messages: question,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let finish = null;
  let usage = null;
  let pieces = 0;
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    pieces += 1;
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, 'Forty-two, as far as I know.');
  assert.equal(finish, 'stop');
  assert.ok(pieces > 1, 'came in pieces');
  assert.ok(usage.total_tokens > 0);
});

test('streams through the helper of the SDK', async () => {
  const runner = client.chat.completions.stream({ model: 'gpt-4o-mini', messages: question });
  assert.equal(await runner.finalContent(), 'Forty-two, as far as I know.');
});

test('runs an agent as a model', async () => {
  const made = await host.call('POST', '/api/v1/admin/agents', {
    name: 'answerer',
    initial_definition: { system_prompt: 'Answer.', tools: [] },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const answer = await client.chat.completions.create({ model: `agent/${made.body.agent_id}`, messages: question });
  assert.equal(answer.choices[0].message.content, 'Forty-two, as far as I know.');
});

test('a wrong key is an authentication error', async () => {
  const stranger = new OpenAI({ apiKey: 'rv_wrong', baseURL: `${host.url}/v1`, maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create({ model: 'gpt-4o-mini', messages: question }), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
    assert.equal(typeof error.error.message, 'string');
    return true;
  });
});

test('an unknown agent is not found', async () => {
  await assert.rejects(client.chat.completions.create({ model: 'agent/agt_absent', messages: question }), OpenAI.NotFoundError);
});

test('a broken request is a bad request', async () => {
  await assert.rejects(client.chat.completions.create({ model: 'gpt-4o-mini', messages: 'none' }), OpenAI.BadRequestError);
});
