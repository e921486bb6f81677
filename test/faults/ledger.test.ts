import { describe, expect, it } from 'vitest';
import { type Entry, oneActor, withoutRenewals } from './ledger.ts';

/** Milliseconds between a request and its answer. */
const TAKES = 10;

interface Head {
  readonly version: number;
  readonly term?: number;
  readonly nonce?: string;
  readonly seq?: number;
  readonly root?: string;
}

const base = (agent: string, atMs: number) => ({
  host: agent.slice(0, 2),
  agent,
  method: 'POST',
  mutating: true,
  atMs,
  answeredAtMs: atMs + TAKES,
  status: 200,
});

/** A write to the head; without a term nobody holds the lease. */
function head(agent: string, atMs: number, wanted: Head, answer: Partial<Entry> = {}): Entry {
  const { version, term, nonce = `of ${agent}`, seq = 1, root = 'r' } = wanted;
  const lease = JSON.stringify({ holder: agent, node: agent, nonce, term, seq, ttlMs: 15_000 });
  return {
    ...base(agent, atMs),
    path: '/v1.41/configs/abc/update',
    url: `/v1.41/configs/abc/update?version=${String(version)}`,
    name: 'understudy.head',
    labels: { 'understudy.record': root, ...(term !== undefined && { 'understudy.lease': lease }) },
    ...answer,
  };
}

function call(agent: string, atMs: number, path = '/v1.41/services/create'): Entry {
  return { ...base(agent, atMs), path, url: path, status: 201, name: 'a_web' };
}

const made: Entry = {
  ...base('m1', 0),
  path: '/v1.41/configs/create',
  url: '/v1.41/configs/create',
  name: 'understudy.head',
  labels: {},
  status: 201,
};
/** The same, and no answer came. */
function lost({ status: _status, answeredAtMs: _answeredAtMs, ...entry }: Entry): Entry {
  return entry;
}
const outOfSequence = { status: 500, message: '{"message":"... update out of sequence"}' };

const terms = (ledger: readonly Entry[]): readonly string[] =>
  oneActor(ledger).tenures.map(
    ({ agent, term, fromMs, untilMs }) => `${agent} ${term} ${fromMs} ${untilMs ?? ''}`,
  );

describe('oneActor', () => {
  it('tells who led from when to when', () => {
    const ledger = [
      made,
      head('m1', 100, { version: 1, term: 1 }),
      head('m1', 200, { version: 2, term: 1, seq: 2 }),
      head('m2', 300, { version: 3, term: 2 }),
      head('m2', 400, { version: 4 }),
      head('m3', 500, { version: 5, term: 3 }),
    ];
    expect(terms(ledger)).toEqual(['m1 1 110 310', 'm2 2 310 410', 'm3 3 510 ']);
    expect(oneActor(ledger).violations).toEqual([]);
  });

  it('goes by the order of the raft, not by that of the answers', () => {
    const late = { answeredAtMs: 900 };
    const ledger = [
      head('m1', 100, { version: 1, term: 1 }),
      head('m1', 200, { version: 2, term: 1, seq: 2 }, late),
      head('m2', 300, { version: 3, term: 2 }),
      call('m2', 950),
    ];
    expect(terms(ledger)).toEqual(['m1 1 110 310', 'm2 2 310 ']);
    expect(oneActor(ledger).violations).toEqual([]);
  });

  const leads = [made, head('m1', 100, { version: 1, term: 1 })];
  const fine: readonly (readonly [string, readonly Entry[]])[] = [
    ['nothing', []],
    ['the head is made by several at once', [made, { ...made, agent: 'm2', status: 409 }]],
    ['the leader acts', [...leads, call('m1', 120)]],
    ['reading is free', [...leads, { ...call('m2', 120), method: 'GET', mutating: false }]],
    [
      'the next one acts when its write was answered',
      [...leads, head('m2', 300, { version: 2, term: 2 }), call('m2', 310)],
    ],
    [
      'the last one acts while that write is under way',
      [...leads, head('m2', 300, { version: 2, term: 2 }), call('m1', 305)],
    ],
    [
      'two try, one is refused and does nothing',
      [
        ...leads,
        head('m2', 300, { version: 2, term: 2 }),
        head('m3', 301, { version: 2, term: 2 }, outOfSequence),
        call('m2', 320),
      ],
    ],
    [
      'one whose answer was lost reads it back',
      [...leads, lost(head('m2', 300, { version: 2, term: 2 })), call('m2', 320)],
    ],
    [
      'one whose write was taken though the engine said no goes on with it',
      [
        ...leads,
        head('m2', 300, { version: 2, term: 2 }, outOfSequence),
        call('m2', 320),
        head('m2', 400, { version: 3, term: 2, seq: 2 }),
      ],
    ],
  ];
  it.each(fine)('blames nobody: %s', (_, ledger) => {
    expect(oneActor(ledger).violations).toEqual([]);
  });

  const create = 'sent POST /v1.41/services/create while the lease was held by';
  const blamed: readonly (readonly [string, readonly Entry[], string])[] = [
    ['acts before anybody leads', [made, call('m2', 120)], `m2 ${create} nobody`],
    ['acts beside the leader', [...leads, call('m2', 120)], `m2 ${create} m1, term 1`],
    [
      'acts after another one took over',
      [...leads, head('m2', 300, { version: 2, term: 2 }), call('m1', 311)],
      `m1 ${create} m2, term 2`,
    ],
    [
      'acts before its own write was answered',
      [...leads, head('m2', 300, { version: 2, term: 2 }), call('m2', 305)],
      `m2 ${create} m1, term 1`,
    ],
    [
      'acts although its write was refused',
      [...leads, head('m2', 300, { version: 2, term: 2 }, outOfSequence), call('m2', 320)],
      `m2 ${create} m1, term 1`,
    ],
    [
      'acts although its write never came to the engine',
      [
        ...leads,
        lost(head('m2', 300, { version: 2, term: 2 }, { fault: 'drop-request' })),
        call('m2', 320),
      ],
      `m2 ${create} m1, term 1`,
    ],
    [
      'acts after it lost a lease that it could not renew',
      [
        ...leads,
        lost(head('m1', 200, { version: 2, term: 1, seq: 2 })),
        head('m2', 300, { version: 3, term: 2 }),
        call('m1', 320),
      ],
      `m1 ${create} m2, term 2`,
    ],
    [
      'acts after it gave the lease back',
      [...leads, head('m1', 200, { version: 2 }), call('m1', 320)],
      `m1 ${create} nobody`,
    ],
    [
      'is another process on the same host',
      [...leads, { ...call('m1', 120), agent: 'm1#2' }],
      `m1#2 ${create} m1, term 1`,
    ],
    [
      'collects beside the leader',
      [...leads, { ...call('m2', 120, '/v1.41/configs/x'), method: 'DELETE' }],
      'm2 sent DELETE /v1.41/configs/x while the lease was held by m1, term 1',
    ],
    [
      "writes a term that is another one's",
      [...leads, head('m2', 300, { version: 2, term: 1 })],
      'term 1 is held by of m1 and by of m2',
    ],
    [
      'writes a term that is over',
      [head('m1', 100, { version: 1, term: 4 }), head('m2', 300, { version: 2, term: 3 })],
      'm2 wrote term 3 after term 4',
    ],
    [
      'writes the lease of another one',
      [...leads, head('m2', 300, { version: 2, term: 1, nonce: 'of m1' })],
      'm2 wrote the lease of m1',
    ],
  ];
  it.each(blamed)('blames who %s', (_, ledger, violation) => {
    expect(oneActor(ledger).violations).toEqual([violation]);
  });
});

describe('withoutRenewals', () => {
  it('leaves out what changes the lease and nothing else', () => {
    const writes = [
      made,
      head('m1', 100, { version: 1, term: 1 }),
      head('m1', 200, { version: 2, term: 1, seq: 2 }),
      call('m1', 250),
      head('m1', 300, { version: 3, term: 1, seq: 3, root: 'other' }, outOfSequence),
      head('m1', 400, { version: 4, term: 1, seq: 4, root: 'other' }),
      head('m1', 500, { version: 5, term: 1, seq: 5, root: 'other' }),
      lost(head('m2', 600, { version: 6, term: 2, root: 'other' })),
    ];
    expect(withoutRenewals(writes).map(({ atMs }) => atMs)).toEqual([0, 100, 250, 300, 400]);
    expect(withoutRenewals([made, head('m1', 100, { version: 1, term: 1 })])).toHaveLength(2);
  });
});
