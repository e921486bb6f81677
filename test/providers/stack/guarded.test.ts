import { expect, it } from 'vitest';

import { SWARM_CALL_MS } from '../../../agent/core/lease.ts';
import { guardedSwarm } from '../../../agent/providers/stack/guarded.ts';
import { FakeEngine } from '../../fakes/swarm-engine.ts';
import { directSwarm } from '../../fakes/swarm-modem.ts';

const { signal } = new AbortController();
const data = Buffer.from('x').toString('base64');
const call = { op: 'config-create', name: 'understudy.b.1', labels: {}, data } as const;

it('asks before each write, with the time that one may take, and sends nothing that is refused', async () => {
  const engine = new FakeEngine();
  const asked: number[] = [];
  let why: string | undefined = 'this agent does not lead';
  const refusal = (deadlineMs: number): string | undefined => {
    asked.push(deadlineMs);
    return why;
  };
  const swarm = guardedSwarm(directSwarm(engine), { refusal });
  expect(await swarm.call(call, signal)).toEqual({
    status: 'refused',
    why,
    retry: 'after-replan',
    cause: 'held-back',
  });
  expect(engine.configs.size).toBe(0);
  expect((await swarm.observe(signal)).status).toBe('ok');
  why = undefined;
  expect((await swarm.call(call, signal)).status).toBe('ok');
  expect(engine.configs.size).toBe(1);
  expect(asked).toEqual([SWARM_CALL_MS, SWARM_CALL_MS]);
});
