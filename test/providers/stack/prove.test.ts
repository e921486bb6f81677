import { describe, expect, it } from 'vitest';

import type { CallOutcome } from '../../../agent/core/kind.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import { Disproved } from '../../../agent/providers/stack/disproved.ts';
import { contentDigest, DIGEST_LABEL, disproof } from '../../../agent/providers/stack/names.ts';
import { indexState } from '../../../agent/providers/stack/observed.ts';
import { assertSendable } from '../../../agent/providers/stack/sendable.ts';
import type { SecretDriver } from '../../../agent/providers/stack/spec.ts';
import type { ObservedSecret, StackCall } from '../../../agent/providers/stack/swarm.ts';
import { withoutData } from '../../../agent/providers/stack/without-data.ts';
import { digestKey, observed, unit } from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const digest = contentDigest(base64('y'), digestKey);
const short = `blog_key-${digest.slice(0, 8)}`;
const id = 'a'.repeat(25);

/** A secret as the CLI makes it, or with parts of another one. */
const byCli = (parts: Partial<ObservedSecret> = {}): ObservedSecret => ({
  id,
  version: 7,
  name: 'blog_key',
  labels: namespace,
  ...parts,
});
const labelled = (text: string, parts: Partial<ObservedSecret> = {}): ObservedSecret =>
  byCli({
    labels: { ...namespace, [DIGEST_LABEL]: contentDigest(base64(text), digestKey) },
    ...parts,
  });

/** What is called so that the stack has a secret of this content, among these. */
function calls(
  secrets: readonly ObservedSecret[],
  {
    text = 'y',
    templating,
    disproved = [],
  }: { text?: string; templating?: string; disproved?: readonly string[] } = {},
): readonly string[] {
  const key = {
    name: 'blog_key',
    labels: namespace,
    data: new Secret(base64(text)),
    ...(templating !== undefined && { templating }),
  };
  const wanted = unit({ services: {}, networks: {}, secrets: { key } });
  const seen = indexState(observed({ secrets }).state, digestKey, new Set(disproved));
  const { operations, blocked } = diffStack(wanted, seen);
  return [
    ...operations.map(({ call, proves }) => {
      expect(proves === true).toBe(call.op === 'secret-prove');
      return `${call.op} ${'name' in call ? call.name : ''}`;
    }),
    ...blocked.map(({ why }) => why),
  ];
}

const driver: SecretDriver = { name: 'vault' };
const theirs = 'secret blog_key exists and belongs to stack shop: rename one of them';

describe('a secret that may hold what the file has', () => {
  it.each<[string, readonly ObservedSecret[], Parameters<typeof calls>[1], readonly string[]]>([
    ['has no digest: it is compared', [byCli()], {}, ['secret-prove blog_key']],
    ['has the digest', [labelled('y')], {}, []],
    ['has another digest', [labelled('x')], {}, [`secret-create ${short}`]],
    [
      'was compared with it',
      [byCli()],
      { disproved: [disproof(id, digest)] },
      [`secret-create ${short}`],
    ],
    [
      'was compared with another content',
      [byCli()],
      { disproved: [disproof(id, 'd')] },
      ['secret-prove blog_key'],
    ],
    [
      'is of another stack',
      [byCli({ labels: { 'com.docker.stack.namespace': 'shop' } })],
      {},
      [theirs],
    ],
    [
      'is of no stack',
      [byCli({ labels: {} })],
      {},
      [expect.stringContaining('does not belong to this stack')],
    ],
    ['is a template', [byCli({ templating: 'golang' })], {}, [`secret-create ${short}`]],
    [
      'is a template as wanted',
      [byCli({ templating: 'golang' })],
      { templating: 'golang' },
      ['secret-prove blog_key'],
    ],
    ['is a plugin’s', [byCli({ driver })], {}, [`secret-create ${short}`]],
    ['is spelt otherwise', [byCli({ name: 'blog_Key' })], {}, [`secret-create ${short}`]],
    [
      'would be empty',
      [byCli()],
      { text: '' },
      [expect.stringMatching(/^secret-create blog_key-/)],
    ],
    [
      'stands beside one that has it',
      [byCli(), labelled('y', { id: 'b'.repeat(25), name: short })],
      {},
      [],
    ],
    [
      'lost its digest under its second name',
      [labelled('x'), byCli({ id: 'b'.repeat(25), name: short })],
      {},
      [`secret-prove ${short}`],
    ],
    [
      'has its second name taken by another stack',
      [byCli(), byCli({ name: short, labels: { 'com.docker.stack.namespace': 'shop' } })],
      {},
      ['secret-prove blog_key'],
    ],
  ])('%s', (_what, secrets, wanted, expected) => {
    expect(calls(secrets, wanted)).toEqual(expected);
  });

  it('is sent with the labels that it has, whatever the file says, and with the digest', () => {
    const key = {
      name: 'blog_key',
      labels: { ...namespace, team: 'a' },
      data: new Secret(base64('y')),
    };
    const wanted = unit({ services: {}, networks: {}, secrets: { key } });
    const there = byCli({ labels: { ...namespace, theirs: 'yes' } });
    const { operations } = diffStack(wanted, observed({ secrets: [there] }));
    expect(operations.map(({ call }) => call)).toEqual([
      {
        op: 'secret-prove',
        id,
        version: 7,
        name: 'blog_key',
        labels: { ...namespace, theirs: 'yes', [DIGEST_LABEL]: digest },
        data: key.data,
      },
    ]);
    expect(JSON.stringify(operations)).not.toContain(base64('y'));
  });
});

const proof = (text = 'y', labels = { ...namespace, [DIGEST_LABEL]: digest }): StackCall => ({
  op: 'secret-prove',
  id,
  version: 7,
  name: 'blog_key',
  labels,
  data: new Secret(base64(text)),
});

describe('what came of a comparison', () => {
  const other = {
    status: 'refused',
    why: 'only updates',
    retry: 'never',
    cause: 'other-content',
  } as const;

  it('is kept as long as the secret is there', () => {
    const disproved = new Disproved();
    const there = observed({ secrets: [byCli()] }).state;
    expect(disproved.noted(proof(), other)).toEqual({
      status: 'refused',
      why: 'it holds another content',
      retry: 'after-replan',
      cause: 'other-content',
    });
    expect([...disproved.of(there)]).toEqual([disproof(id, digest)]);
    expect([...disproved.of(observed().state)]).toEqual([]);
    expect([...disproved.of(there)]).toEqual([]);
  });

  it.each<[string, CallOutcome<object>, CallOutcome<object>]>([
    ['was equal', { status: 'ok', value: {} }, { status: 'ok', value: {} }],
    ['is not known', { status: 'unknown', why: 'x' }, { status: 'unknown', why: 'x' }],
    [
      'is another refusal, which may pass',
      { status: 'refused', why: 'x', retry: 'never' },
      { status: 'refused', why: 'x', retry: 'after-replan' },
    ],
  ])('%s: nothing is kept', (_what, outcome, becomes) => {
    const disproved = new Disproved();
    expect(disproved.noted(proof(), outcome)).toEqual(becomes);
    expect([...disproved.of(observed({ secrets: [byCli()] }).state)]).toEqual([]);
  });

  it('of any other call says nothing of a content', () => {
    const call: StackCall = { op: 'secret-label', id, version: 1, name: 'blog_key', labels: {} };
    expect(new Disproved().noted(call, other)).toBe(other);
  });
});

describe('a content that is compared', () => {
  it.each([
    [
      'for no stack',
      proof('y', { ...namespace, 'com.docker.stack.namespace': '', [DIGEST_LABEL]: 'd' }),
    ],
    ['without its digest', proof('y', { ...namespace, [DIGEST_LABEL]: '' })],
    ['where it is empty', proof('')],
  ])('is not sent %s', (_what, call) => {
    expect(() => assertSendable(call)).toThrow('bug: ');
    expect(() => assertSendable(proof())).not.toThrow();
  });

  const long = 'canary\n18f2-and so on, for a while';
  it.each<[string, string, string, boolean]>([
    ['as it is sent', long, `bad body: {"Data":"${base64(long)}"}`, true],
    ['as it is', long, 'cannot take canary 18f2-and so', true],
    ['cut off', long, `cannot take ${base64(long).slice(4, 14)}`, true],
    ['short', 'xyz', 'cannot take xyz', true],
    ['not at all', long, 'update out of sequence', false],
    ['by one letter', 'a', 'update out of sequence', false],
  ])('stands in no answer: %s', (_what, text, why, isHidden) => {
    for (const status of ['refused', 'unknown'] as const) {
      const outcome = { status, why, retry: 'never', cause: 'out-of-sequence' } as const;
      const shown = withoutData(proof(text), outcome);
      expect(shown).toEqual(
        isHidden ? { ...outcome, why: 'the answer repeats the content: it is not shown' } : outcome,
      );
    }
  });
});
