import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLines } from '../../../agent/rehearsal/log-file.ts';
import { followAgents, type AgentSource } from '../../../agent/rehearsal/stream.ts';

const never = new AbortController().signal;
let folder = '';
let ended: Set<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'));
  ended = new Set();
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const logOf = (host: string): string => join(folder, `${host}.log`);
const source = (host: string, offset = 0): AgentSource => ({
  host,
  log: logOf(host),
  offset,
  isAlive: async () => await Promise.resolve(!ended.has(host)),
});
const line = (at: number, text: string): string =>
  `${JSON.stringify({ time: new Date(at).toISOString(), msg: text })}\n`;

describe('followAgents', () => {
  it('gives whole lines from an offset on, also what is written while it follows', async () => {
    await writeFile(logOf('m1'), 'old\nfirst\nsec');
    const lines: unknown[] = [];
    for await (const { line: one } of followAgents([source('m1', 4)], never)) {
      lines.push(one);
      if (one === 'first') await appendFile(logOf('m1'), 'ond\nlast\nhalf');
      if (one === 'last') ended.add('m1');
    }
    expect(lines).toEqual(['first', 'second', 'last', undefined]);
  });

  it('gives what several write in the order of time, and goes on while one of them runs', async () => {
    await writeFile(logOf('m1'), line(1, 'a') + line(4, 'd'));
    await writeFile(logOf('m2'), line(2, 'b') + line(3, 'c'));
    const told: string[] = [];
    for await (const { host, line: one } of followAgents(
      ['m1', 'm2', 'm3'].map((host) => source(host)),
      never,
    )) {
      const text = one === undefined ? 'ended' : /"msg":"(.*)"/.exec(one)?.[1];
      told.push(`${host} ${String(text)}`);
      if (text === 'd') ended.add('m1');
      if (told.at(-1) === 'm1 ended') await writeFile(logOf('m3'), line(5, 'e')); // it had no log yet
      if (text === 'e') ended = new Set(['m1', 'm2', 'm3']);
    }
    expect(told.slice(0, 6)).toEqual(['m1 a', 'm2 b', 'm2 c', 'm1 d', 'm1 ended', 'm3 e']);
    expect(new Set(told.slice(6))).toEqual(new Set(['m2 ended', 'm3 ended']));
  });

  it('goes on with an agent that is started again', async () => {
    await writeFile(logOf('m1'), 'one\n');
    const told: unknown[] = [];
    for await (const { host, line: one } of followAgents(
      ['m1', 'm2'].map((host) => source(host)),
      never,
    )) {
      told.push(one === undefined ? `${host} ended` : one);
      if (one === 'one') ended.add('m1');
      if (told.at(-1) === 'm1 ended') {
        ended.delete('m1');
        await appendFile(logOf('m1'), 'two\n');
      }
      if (one === 'two') ended = new Set(['m1', 'm2']);
    }
    expect(told.slice(0, 3)).toEqual(['one', 'm1 ended', 'two']);
    expect(new Set(told.slice(3))).toEqual(new Set(['m1 ended', 'm2 ended']));
  });

  it('ends with its signal', async () => {
    await writeFile(logOf('m1'), 'one\n');
    const stop = new AbortController();
    const lines: unknown[] = [];
    for await (const { line: one } of followAgents([source('m1')], stop.signal)) {
      lines.push(one);
      stop.abort();
    }
    expect(lines).toEqual(['one']);
  });
});

describe('readLines', () => {
  it('gives whole lines before an offset, and none where there is no file', async () => {
    await writeFile(logOf('m1'), 'a\nb\nhalf');
    expect(await readLines(logOf('m1'))).toEqual(['a', 'b']);
    expect(await readLines(logOf('m1'), 3)).toEqual(['a']);
    expect(await readLines(logOf('m2'))).toEqual([]);
  });
});
