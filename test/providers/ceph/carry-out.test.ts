import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import { type Answer, heldBack, refusedBy } from '../../../agent/providers/ceph/answers.ts';
import type { Step } from '../../../agent/providers/ceph/call.ts';
import { carryOut } from '../../../agent/providers/ceph/carry-out.ts';
import { commandProblem } from '../../../agent/providers/ceph/commands.ts';
import type { Ceph } from '../../../agent/providers/ceph/driver.ts';
import { NO_GROUP } from '../../../agent/providers/ceph/observed.ts';
import { wantedOf } from '../../../agent/providers/ceph/wanted.ts';
import { openClusters } from '../../../agent/providers/ceph/clusters.ts';
import { VirtualClock } from '../../fakes/clock.ts';

const ok: Answer = { status: 'ok', value: new Secret('') };
const mark: Step = { prefix: 'config-key set', key: 'understudy/ceph-pool/rep', val: '{}' };
const unmark = { prefix: 'config-key rm', key: 'understudy/ceph-pool/rep' } as const;
const enable: Step = { prefix: 'osd pool application enable', pool: 'rep', app: 'rbd' };
const make: Step = {
  prefix: 'osd pool create',
  pool: 'rep',
  pool_type: 'replicated',
  rule: 'r',
  autoscale_mode: 'on',
};
const isPool: Step = { check: 'pool', pool: 'rep', rule: 'r', size: 3, otherwise: unmark };
const isAbsent: Step = {
  check: 'absent',
  words: { prefix: 'fs subvolume info', vol_name: 'cephfs', sub_name: 'blog' },
};

/** Carries them out before one who answers as is said, by the prefix of the command. */
async function said(
  steps: readonly Step[],
  answers: Readonly<Record<string, Answer>> = {},
  refusal: (sent: number) => string | undefined = () => undefined,
) {
  const sent: string[] = [];
  const ceph: Ceph = {
    call: async ({ words, guard: asked }) => {
      const why = asked?.refusal(1);
      if (why !== undefined) return heldBack(why);
      sent.push(words.prefix);
      return await Promise.resolve(answers[words.prefix] ?? ok);
    },
    close: () => undefined,
  };
  const guard = { refusal: () => refusal(sent.length) };
  const ended = await carryOut(steps, { ceph, guard, signal: new AbortController().signal });
  return { sent, ended };
}

const poolAnswer = (more: object = {}): Answer => ({
  status: 'ok',
  value: new Secret(JSON.stringify({ size: 3, min_size: 2, crush_rule: 'r', ...more })),
});

describe('carrying out', () => {
  it('sends one after the other, and ends with the first that does not go well', async () => {
    expect(await said([mark, make, enable])).toEqual({
      sent: ['config-key set', 'osd pool create', 'osd pool application enable'],
      ended: undefined,
    });
    const refused = refusedBy('mon', 22, 'no');
    expect(await said([mark, make, enable], { 'osd pool create': refused })).toEqual({
      sent: ['config-key set', 'osd pool create'],
      ended: { status: 'refused', retry: 'never', why: '`osd pool create`: Ceph does not take it (errno 22): no' }, // prettier-ignore
    });
  });

  it.each<[number, object]>([
    [1, { status: 'refused', retry: 'never' }],
    [2, { status: 'refused', retry: 'after-replan' }],
    [16, { status: 'refused', retry: 'after-replan', why: '`osd pool create`: it is in use (errno 16): x' }], // prettier-ignore
    [110, { status: 'refused', retry: 'after-replan', cause: 'unreachable' }],
    [13, { status: 'refused', retry: 'never', why: '`osd pool create`: the key lacks caps for it (errno 13): x: mon \'allow command "osd pool create"\' is missing' }], // prettier-ignore
  ])('says what errno %i is', async (errno, ended) => {
    const answers = { 'osd pool create': refusedBy('mon', errno, 'x') };
    expect((await said([make], answers)).ended).toMatchObject(ended);
  });

  it('knows that a file system is changed only by who may write to something', async () => {
    const set: Step = { prefix: 'fs set', fs_name: 'a', var: 'max_mds', val: '2' };
    const { ended } = await said([set], { 'fs set': refusedBy('mon', 1, 'Permission denied') });
    expect(ended?.why).toContain('mon \'allow command "fs set", allow service log rw\' is missing');
  });

  it('does not know what became of a command that was not answered', async () => {
    const late: Answer = { status: 'unknown', why: 'no answer', cause: 'unreachable' };
    expect((await said([make], { 'osd pool create': late })).ended).toEqual({
      status: 'unknown',
      why: '`osd pool create`: no answer',
      cause: 'unreachable',
    });
    // A question changes nothing.
    expect((await said([isAbsent, mark], { 'fs subvolume info': late })).ended).toMatchObject({
      status: 'refused',
      cause: 'unreachable',
    });
  });

  it('lets each ask whether it still leads', async () => {
    const lost = await said([mark, make, enable], {}, (sent) => (sent < 2 ? undefined : 'lost'));
    expect(lost.sent).toEqual(['config-key set', 'osd pool create']);
    expect(lost.ended).toMatchObject({ status: 'refused', cause: 'held-back', why: expect.stringContaining('lost') }); // prettier-ignore
  });

  it('goes on only where nobody made it meanwhile', async () => {
    const absent = { 'fs subvolume info': refusedBy('mgr', 2, 'x') };
    expect((await said([isAbsent, mark], absent)).sent).toHaveLength(2);
    expect(await said([isAbsent, mark])).toMatchObject({
      sent: ['fs subvolume info'],
      ended: { status: 'refused', cause: 'out-of-sequence' },
    });
  });

  it.each<[string, Answer, readonly string[], object | undefined]>([
    ['as it was made', poolAnswer(), ['osd pool application enable'], undefined],
    ['of another size', poolAnswer({ size: 2 }), ['config-key rm'], { cause: 'out-of-sequence' }],
    ['by another rule', poolAnswer({ crush_rule: 'x' }), ['config-key rm'], { cause: 'out-of-sequence' }], // prettier-ignore
    ['of chunks', poolAnswer({ erasure_code_profile: 'x' }), ['config-key rm'], { cause: 'out-of-sequence' }], // prettier-ignore
    ['that is not understood', ok, [], { retry: 'never' }],
  ])('looks at a pool that it made: %s', async (_, answer, sent, ended) => {
    const told = await said([make, isPool, enable], { 'osd pool get': answer });
    expect(told.sent.slice(2)).toEqual(sent);
    expect(told).toMatchObject({ ended });
  });
});

describe('a command', () => {
  const names = ['', ' ', '-x', '.mgr', 'a b', 'a/b', '../x', 'a\nb', 'ü', 'a'.repeat(129)];

  it.each(names)('with the name %j is not sent, nor anything before it', async (name) => {
    const commands: readonly Step[] = [
      { prefix: 'osd pool application enable', pool: name, app: 'rbd' },
      { prefix: 'osd crush rule rm', name },
      { prefix: 'auth rm', entity: `client.${name}` },
      { prefix: 'fs subvolumegroup create', vol_name: 'a', group_name: name, mode: '0755', uid: 0, gid: 0 }, // prettier-ignore
      { prefix: 'config-key rm', key: `understudy/ceph-pool/${name}\n` },
    ];
    for (const command of commands) {
      const { sent, ended } = await said([mark, command]);
      expect(sent).toEqual([]);
      expect(ended).toMatchObject({ status: 'refused', retry: 'never' });
    }
  });

  it.each(['client.admin', 'client.bootstrap-osd', 'osd.0', 'mon.', 'mgr.x', 'admin'])(
    'never touches %s',
    (entity) => {
      expect(commandProblem({ prefix: 'auth rm', entity })).toContain('`auth rm` is not sent');
      const caps = ['mon', 'allow *'];
      expect(commandProblem({ prefix: 'auth caps', entity, caps })).toContain('is not sent');
    },
  );

  it.each(['others/x', 'understudy/', 'mgr/dashboard/key', 'understudy/lease/x'])(
    'writes no mark at %s',
    (key) => {
      expect(commandProblem({ prefix: 'config-key set', key, val: 'x' })).toContain('no mark of ours'); // prettier-ignore
    },
  );
});

describe('what is looked at', () => {
  it('is what units need, in the repository or just left', () => {
    const ids = [
      'ceph-pool/rep',
      'ceph-subvolume/cephfs/sites/blog',
      'ceph-subvolume/far/cephfs/_nogroup/x',
      'ceph-subvolume-group/cephfs/sites',
      'mysql-user/blog',
    ] as const;
    const group = { filesystem: 'cephfs', group: 'sites' };
    const main = [{ ...group, subvolume: 'blog' }, group];
    expect(wantedOf(ids, 'main')).toEqual({ clients: new Set(), places: main });
    const other = { filesystem: 'cephfs', group: NO_GROUP, subvolume: 'x' };
    expect(wantedOf([...ids, 'ceph-client/far/site-blog'], 'far')).toEqual({
      clients: new Set(['client.site-blog']),
      places: [main[0], other, main[1]],
    });
  });
});

describe('clusters', () => {
  const start = () => {
    throw new Error('nothing is started');
  };
  const ports = {
    clock: new VirtualClock(),
    processes: { start },
    owner: 'test',
    guard: { refusal: () => 'no' },
  };
  const way = {
    confFile: '/c',
    keyringFile: '/k',
    client: 'client.understudy',
    clientPattern: 'client.site-*',
    python: '/p',
  };
  const call = async (settings: Parameters<typeof openClusters>[0], cluster?: string) => {
    const named = cluster === undefined ? {} : { cluster };
    const clusters = openClusters(settings, ports);
    return await clusters.call({ op: 'ceph', steps: [make], ...named }, new AbortController().signal); // prettier-ignore
  };

  it('are known by their names in the settings', async () => {
    expect(await call({})).toMatchObject({ why: 'it is not said in which cluster' });
    expect(await call({ a: way, b: way })).toMatchObject({ why: 'it is not said in which cluster' }); // prettier-ignore
    expect(await call({ a: way }, 'c')).toMatchObject({ why: "the agent's settings name no cluster `c`" }); // prettier-ignore
    expect(await call({ a: way })).toMatchObject({ cause: 'held-back' });
    expect(await call({ a: way, b: way }, 'b')).toMatchObject({ cause: 'held-back' });
  });
});
