// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts a reeve-host of the build, and the mock of an OpenAI-compatible server, each on a port of its own, for one test file.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const source = process.env.REEVE_SOURCE_DIR ?? new URL('../..', import.meta.url).pathname;
export const build = process.env.REEVE_BUILD_DIR ?? join(source, 'build');

/** Starts a program and resolves with it and the first line of its output that begins with `listening `. */
function start(command, words, name) {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} did not start within 30 s: ${said.slice(-2000)}`));
    }, 30000);
    const ended = (code) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended with ${code}: ${said.slice(-2000)}`));
    };
    child.on('error', ended);
    child.on('exit', ended);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('listening ')) return;
      clearTimeout(timer);
      child.off('exit', ended);
      resolve({ child, url: line.slice('listening '.length).trim() });
    });
  });
}

/** Ends a program and resolves with its exit code. */
function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve(child.exitCode);
    const timer = setTimeout(() => child.kill('SIGKILL'), 15000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
    child.kill('SIGTERM');
  });
}

/** A mock upstream; `answer` is what it gives when nothing is scripted. */
export async function startMock(answer) {
  const words = [join(source, 'tests/outside/mock_openai.py'), '--default', JSON.stringify(answer)];
  const { child, url } = await start('python3', words, 'mock_openai.py');
  return { url, stop: () => stop(child) };
}

/** A host with an empty state folder; `config` is the text of its reeve.yaml, if any. */
export async function startHost(config) {
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  const state = join(folder, 'state');
  const words = ['--state-dir', state, '--listen', '127.0.0.1:0', '--bus', 'none'];
  if (config) {
    writeFileSync(join(folder, 'reeve.yaml'), config);
    words.push('--config', join(folder, 'reeve.yaml'));
  }
  const { child, url } = await start(join(build, 'host/reeve-host'), words, 'reeve-host');
  const key = readFileSync(join(state, 'admin.key'), 'utf8').trim();
  return {
    url,
    key,
    async stop() {
      const code = await stop(child);
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
    async call(method, path, body) {
      const headers = { authorization: `Bearer ${key}` };
      if (body !== undefined) headers['content-type'] = 'application/json';
      const response = await fetch(url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    },
  };
}
