import { readFileSync } from 'node:fs';

import type { Reply } from '../../../../agent/providers/stack/classify.ts';
import type { Inspection } from '../../../../agent/providers/stack/doctor/inspection.ts';
import { inspectSwarm } from '../../../../agent/providers/stack/doctor/read.ts';
import { type Dial, modemOf } from '../../../../agent/providers/stack/transport.ts';

type Answers = Readonly<Record<string, unknown>>;

/**
 * What engines 20.10.24 answered. `healthy`: three managers and a worker, nothing on them. `sick`: a subnet of five
 * addresses with too many tasks, one that another network has, one inside of docker_gwbridge, one over the nodes, an
 * unused network, and services that cannot start. `lost`: the same after one manager's engine was killed.
 */
export function answers(name: 'healthy' | 'sick' | 'lost'): Answers {
  const file = new URL(`../../../fixtures/doctor/${name}.json`, import.meta.url);
  const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return read !== null && typeof read === 'object' ? { ...read } : {};
}

/** An engine that gives these answers; what was asked is noted. */
export function engineWith(given: Answers, asked: Dial[] = []) {
  return modemOf(
    (dial) => {
      asked.push(dial);
      const [, what = '', id] = dial.path.split('/');
      const all = given[what];
      const one = Array.isArray(all) ? all.find((row) => row.Id === id) : undefined;
      const value = id === undefined ? all : one;
      const reply: Reply =
        value === undefined
          ? { kind: 'answer', status: 404, text: '{"message":"not found"}' }
          : { kind: 'answer', status: 200, text: JSON.stringify(value) };
      return Promise.resolve(reply);
    },
    () => {},
  );
}

export async function inspectionOf(name: 'healthy' | 'sick' | 'lost'): Promise<Inspection> {
  const read = await inspectSwarm(engineWith(answers(name)), new AbortController().signal);
  if (read.status !== 'ok') throw new Error(read.why);
  return read.value;
}
