import { describe, expect, it } from 'vitest';

import { inspectSwarm } from '../../../../agent/providers/stack/doctor/read.ts';
import type { Dial } from '../../../../agent/providers/stack/transport.ts';
import { answers, engineWith } from './answers.ts';

const { signal } = new AbortController();
const rowsOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value : [];

describe('reading a Swarm for the doctor', () => {
  it('asks with GET only, and into networks that no service uses', async () => {
    const asked: Dial[] = [];
    const read = await inspectSwarm(engineWith(answers('sick'), asked), signal);
    expect(read.status).toBe('ok');
    expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(['GET']));
    const networks = asked.filter(({ path }) => path.startsWith('/networks/'));
    // orphan, over1, over2 and over3; tiny and ingress are in use.
    expect(networks).toHaveLength(4);
  });

  it('keeps no token that lets a node join', async () => {
    const given = answers('healthy');
    const swarm = { ...Object(given['swarm']), JoinTokens: { Worker: 'SWMTKN-1-secret' } };
    const read = await inspectSwarm(engineWith({ ...given, swarm }), signal);
    expect(read.status).toBe('ok');
    expect(JSON.stringify(read)).not.toContain('SWMTKN');
  });

  it('sees the containers of its own engine in a network', async () => {
    const given = answers('sick');
    const networks = rowsOf(given['networks']).map((row) =>
      row['Name'] === 'orphan' ? { ...row, Containers: { abc: {} } } : row,
    );
    const read = await inspectSwarm(engineWith({ ...given, networks }), signal);
    const orphan =
      read.status === 'ok' && read.value.networks.find(({ name }) => name === 'orphan');
    expect(orphan).toMatchObject({ containers: 1 });
  });

  it.each(['info', 'swarm', 'nodes', 'networks', 'services', 'tasks'])(
    'says nothing at all without %s',
    async (what) => {
      const { [what]: _without, ...rest } = answers('healthy');
      const read = await inspectSwarm(engineWith(rest), signal);
      expect(read).toMatchObject({ status: 'refused', why: `reading ${what}: not found` });
    },
  );

  it('refuses an answer of another shape and says where', async () => {
    const given = { ...answers('healthy'), nodes: [{ ID: 'x' }] };
    const read = await inspectSwarm(engineWith(given), signal);
    expect(read).toMatchObject({
      status: 'unknown',
      why: expect.stringContaining('reading nodes'),
    });
  });
});
