// SPDX-License-Identifier: LGPL-2.1-or-later
// Tokens of a real OpenID provider, in every algorithm that is common, while its keys are rotated under load.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Provider from 'oidc-provider';
import { startHost } from './host.mjs';

const resource = 'urn:reeve';
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const cacheSeconds = 3;
const clients = algorithms.map((algorithm) => ({
  client_id: `agent-${algorithm}`,
  client_secret: 'a secret of the test',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
}));

/** Private keys of one generation, one for each algorithm. */
function makeKeys(generation) {
  const makers = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  };
  return algorithms.map((alg) => ({
    ...makers[alg]().privateKey.export({ format: 'jwk' }),
    kid: `${alg}-${generation}`,
    alg,
    use: 'sig',
  }));
}

/** The provider with those keys; the first one that fits signs. */
function makeProvider(issuer, keys) {
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys },
    cookies: { keys: ['of the test'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: (context, indicator, client) => ({
          scope: 'reeve',
          audience: indicator,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: client.clientId.slice('agent-'.length) } },
        }),
      },
    },
    extraTokenClaims: () => ({ org_id: 'default', groups: ['staff'] }),
    ttl: { ClientCredentials: 600 },
  });
  provider.on('server_error', (context, error) => console.error(error));
  return provider;
}

let server;
let issuer;
let handler;
let host;
let published;

function rotate(...generations) {
  published = new Set(generations.flat().map((key) => key.kid));
  handler = makeProvider(issuer, generations.flat()).callback();
}

async function getToken(algorithm) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`agent-${algorithm}:a secret of the test`.replaceAll(' ', '+')).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'reeve' }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));

async function ask(token) {
  const response = await fetch(`${host.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}

const generations = [makeKeys(1), makeKeys(2), makeKeys(3)];

before(async () => {
  server = createServer((request, response) => handler(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${server.address().port}`;
  rotate(generations[0]);
  host = await startHost(
    [
      'profile: dev',
      'limits: {requests_per_minute: 1000000}',
      'authentication:',
      '  providers:',
      '    - {id: keys, plugin: auth-api-key}',
      '    - id: idp',
      '      plugin: auth-jwt',
      `      settings: {issuer: "${issuer}", audience: "${resource}", algorithms: [${algorithms}], roles_claim: groups,`,
      `                 role_map: {staff: viewer}, jwks_cache_seconds: ${cacheSeconds}, jwks_refetch_seconds: 1}`,
      '',
    ].join('\n'),
  );
});
after(async () => {
  const code = await host?.stop();
  server?.close();
  server?.closeAllConnections();
  if (host) assert.equal(code, 0, 'the host ends cleanly');
});

for (const algorithm of algorithms)
  test(`lets in with ${algorithm}`, async () => {
    const token = await getToken(algorithm);
    assert.deepEqual([header(token).alg, header(token).typ], [algorithm, 'at+jwt']);
    const { status, body } = await ask(token);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([body.tenant_id, body.roles], ['default', ['viewer']]);
    const [first, second, third] = token.split('.');
    const forged = Buffer.from(second, 'base64url').toString().replace('"staff"', '"admin"');
    assert.equal((await ask(`${first}.${Buffer.from(forged).toString('base64url')}.${third}`)).status, 401);
  });

test('keys are rotated under load', async () => {
  const seen = { good: 0, busy: 0 };
  const refused = [];
  let going = true;
  const worker = async (number) => {
    for (let i = number; going; i++) {
      const token = await getToken(algorithms[i % algorithms.length]);
      let answer = await ask(token);
      // 503: the keys are being fetched for others already
      for (let tries = 0; answer.status === 503 && tries < 50; tries++) {
        seen.busy++;
        await sleep(20);
        answer = await ask(token);
      }
      if (answer.status === 200) seen.good++;
      // a machine that is slow may take longer to ask than the key was there
      else if (published.has(header(token).kid)) refused.push(`${header(token).kid}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
  };
  const workers = Array.from({ length: 8 }, (_, number) => worker(number));
  const old = await Promise.all(algorithms.map(getToken));
  // each rotation leaves the keys of the generation before, for the tokens that are out
  for (const [next, previous] of [[1, 0], [2, 1], [0, 2]]) {
    await sleep(1500);
    rotate(generations[next], generations[previous]);
  }
  await sleep(1500);
  going = false;
  await Promise.all(workers);
  assert.deepEqual(refused, [], `${seen.good} were let in`);
  assert.ok(seen.good > 100, `only ${seen.good} were let in`);
  // generation 1 came back: its tokens are good again
  for (const token of old) assert.equal((await ask(token)).status, 200);
});

test('a key that was taken back is refused when the cache is over', async () => {
  rotate(generations[0]);
  const tokens = await Promise.all(algorithms.map(getToken));
  for (const token of tokens) assert.equal((await ask(token)).status, 200);
  rotate(generations[1]);
  const end = Date.now() + cacheSeconds * 1000;
  let late = 0;
  // asked again and again, so that the host has them in every cache that it has
  while (Date.now() < end + 1000) {
    const asked = Date.now();
    for (const token of tokens) if ((await ask(token)).status === 200 && asked > end) late++;
    await sleep(20);
  }
  assert.equal(late, 0, 'let in by a key that is none any more');
  for (const token of tokens) assert.equal((await ask(token)).status, 401);
  for (const algorithm of algorithms) assert.equal((await ask(await getToken(algorithm))).status, 200);
});
