import { describe, expect, it } from 'vitest';

import type { Id } from '../../../agent/core/kind.ts';
import type { Step } from '../../../agent/providers/ceph/call.ts';
import { openClusters } from '../../../agent/providers/ceph/clusters.ts';
import type { Processes } from '../../../agent/providers/ceph/ports.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import * as raw from './raw.ts';

const enable: Step = { prefix: 'osd pool application enable', pool: 'rep', app: 'rbd' };
const never = new AbortController().signal;
const settings = {
  main: {
    confFile: '/c',
    keyringFile: '/k',
    client: 'client.understudy',
    clientPattern: 'client.site-*',
    python: '/p',
  },
};

/** A cluster behind the port of processes: what the bridge is asked is answered as usual, but for what a test says. */
function cluster(more: { readonly waitMs?: number } = {}) {
  const clock = new VirtualClock();
  const answers = new Map<string, unknown>(Object.entries(raw.usual));
  /** Is not answered. */
  const hanging = new Set<string>();
  const sent: string[] = [];
  /** How long each answer takes. Milliseconds. */
  let tookMs = 0;
  const processes: Processes = {
    start: (_, { data }) => {
      const alive = { is: true };
      const say = (message: object): void => {
        if (alive.is) data(Buffer.from(`${JSON.stringify(message)}\n`));
      };
      return {
        send: (text) => {
          const { id, command } = Object(JSON.parse(text));
          if (command === undefined) {
            clock.after(0, () => say({ fsid: 'f' }));
            return;
          }
          sent.push(command.prefix);
          if (hanging.has(command.prefix)) return;
          const out = JSON.stringify(answers.get(command.prefix) ?? {});
          clock.after(tookMs, () => say({ id, code: 0, out, error: '' }));
        },
        kill: () => {
          alive.is = false;
        },
      };
    },
  };
  const guard = { refusal: () => undefined };
  const clusters = openClusters(settings, { clock, processes, guard, owner: 'test', ...more });
  const takes = (ms: number): void => {
    tookMs = ms;
  };
  /** What is settled after so much time. */
  const within = async <Value>(ms: number, work: Promise<Value>): Promise<Value | 'waits'> => {
    let settled: Value | 'waits' = 'waits';
    void work.then((value) => {
      settled = value;
    });
    await clock.advance(ms);
    return settled;
  };
  const observe = async (ms: number, ...ids: readonly Id[]) => {
    const observed = await within(ms, clusters.observe(ids, never));
    return observed === 'waits' ? observed : observed.get('main')?.sight;
  };
  const call = async (ms: number, more: { readonly calm?: true } = {}) =>
    await within(ms, clusters.call({ op: 'ceph', steps: [enable], ...more }, never));
  return { clock, clusters, answers, hanging, sent, takes, observe, call };
}

const group: Id = 'ceph-subvolume-group/one/sites';

describe('a call that moves data', () => {
  it('goes half a minute after the agent began, and after the one before', async () => {
    const { call, clock, sent } = cluster();
    const soon = { status: 'refused', cause: 'held-back', why: expect.stringContaining('moves') };
    const moves = { calm: true } as const;
    expect(await call(100, moves)).toMatchObject(soon);
    expect(sent).toEqual([]);
    expect(await call(100)).toMatchObject({ status: 'ok' });
    await clock.advance(30_000);
    expect(await call(100, moves)).toMatchObject({ status: 'ok' });
    expect(await call(100, moves)).toMatchObject(soon);
    await clock.advance(30_000);
    expect(await call(100, moves)).toMatchObject({ status: 'ok' });
  });
});

describe('a look at a cluster', () => {
  it('gives the very same as long as it shows nothing new', async () => {
    const { observe, answers } = cluster();
    const first = await observe(100, group);
    expect(first).toMatchObject({ status: 'seen' });
    const stats = { stored: 26, objects: 5, bytes_used: 24_577, max_avail: 4e9 - 4096 };
    answers.set('df', { pools: [{ name: 'rep', stats }] });
    const health = { ...raw.status.health, checks: { OSD_DOWN: { ...raw.status.health.checks.OSD_DOWN, summary: { message: 'other words' } } } }; // prettier-ignore
    answers.set('status', { ...raw.status, mgrmap: { available: true }, health });
    expect(await observe(100, group)).toBe(first);
    answers.set('config-key dump', { 'understudy/ceph-pool/rep': '{}' });
    const other = await observe(100, group);
    expect(other).toMatchObject({ status: 'seen' });
    expect(other).not.toBe(first);
    expect(await observe(100, group)).toBe(other);
  });

  it('gives the very same after the cluster was away', async () => {
    const { observe, hanging, clock } = cluster();
    const first = await observe(100, group);
    hanging.add('status');
    expect(await observe(2_000, group)).toMatchObject({ status: 'away' });
    hanging.clear();
    await clock.advance(60_000);
    await observe(100, group);
    expect(await observe(100, group)).toBe(first);
  });

  it('does not hold up a pass while nobody answers, and tells why then', async () => {
    const { observe, hanging, clock } = cluster();
    hanging.add('status');
    const late = { status: 'away', why: expect.stringContaining('longer than 2 s') };
    expect(await observe(2_000, group)).toMatchObject(late);
    await clock.advance(4_000);
    const why = 'the monitors of Ceph did not answer within 5 s: they are not reached, or they have no quorum'; // prettier-ignore
    expect(await observe(0, group)).toEqual({ status: 'away', why });
    expect(await observe(0, group)).toEqual({ status: 'away', why });
  });

  it('comes a pass later where a daemon hangs, with all that does not hang with it', async () => {
    const { observe, hanging, clock } = cluster();
    hanging.add('fs subvolumegroup ls');
    expect(await observe(2_000, group)).toMatchObject({ status: 'away' });
    await clock.advance(8_000);
    const sight = await observe(0, group);
    expect(sight).toMatchObject({ status: 'seen' });
    const why = 'the manager daemon of Ceph did not answer within 8 s';
    const volumes = new Map([['one', { status: 'away', why }]]);
    expect(sight).toMatchObject({ seen: { volumes } });
    await clock.advance(10_000);
    expect(await observe(0, group)).toBe(sight);
  });
});

it('is waited for as long as somebody wants who looks once', async () => {
  const { observe, takes } = cluster({ waitMs: 30_000 });
  takes(1_500);
  expect(await observe(15_000, group)).toMatchObject({ status: 'seen' });
});

describe('a write', () => {
  it('does not go down with a look that hangs', async () => {
    const { observe, hanging, clock, call, sent, takes } = cluster();
    hanging.add('fs subvolumegroup ls');
    await observe(2_000, group);
    await clock.advance(8_000);
    // With it another look begins, which hangs in its turn: its process goes after 8 s.
    await observe(0, group);
    await clock.advance(5_000);
    const asked = sent.length;
    expect(sent.at(-1)).toBe('fs subvolumegroup ls');
    takes(4_000);
    expect(await call(4_100)).toEqual({ status: 'ok', value: { id: 'main' } });
    // The look was given up, and is made anew after the write.
    expect(sent.slice(asked)).toEqual([enable.prefix]);
    await clock.advance(1_000);
    expect(sent.slice(asked + 1)[0]).toBe('status');
  });

  it('makes what was read before it count no more', async () => {
    const { observe, takes, clock, call, answers } = cluster();
    takes(900);
    await observe(2_000, group);
    await clock.advance(20_000);
    answers.set('config-key dump', { 'understudy/ceph-pool/rep': '{}' });
    takes(10);
    await call(100);
    const sight = await observe(500, group);
    expect(sight).toMatchObject({ seen: { marks: new Map([['ceph-pool/rep', '{}']]) } });
  });
});

describe('closed clusters', () => {
  it('are neither asked nor changed', async () => {
    const { clusters, observe, call, sent } = cluster();
    clusters.close();
    expect(await observe(0, group)).toMatchObject({ status: 'away' });
    expect(await call(0)).toMatchObject({ status: 'refused', cause: 'unreachable' });
    expect(sent).toEqual([]);
  });
});
