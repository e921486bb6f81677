import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endedEarly,
  type Failed,
  isAbsent,
  lacksCaps,
  notBegun,
  refusedBy,
  shortened,
  type Way,
} from '../../../agent/providers/ceph/answers.ts';

const way: Way = {
  confFile: '/c',
  keyringFile: '/k',
  client: 'client.u',
  python: '/p',
};

const said = (failed: Failed): string =>
  [failed.status, failed.status === 'refused' && failed.retry, failed.cause, failed.why]
    .filter((part) => typeof part === 'string')
    .join(' | ');

it.each([
  [1, 'refused | never | a guard of Ceph is in the way (errno 1): no'],
  [2, 'refused | after-replan | something that it needs is not there (errno 2): no'],
  [13, 'refused | never | the key lacks caps for it (errno 13): no'],
  [16, 'refused | after-replan | it is in use (errno 16): no'],
  [22, 'refused | never | Ceph does not take it (errno 22): no'],
  [39, 'refused | after-replan | it is not empty (errno 39): no'],
  [95, 'refused | never | Ceph does not do that (errno 95): no'],
  [110, 'refused | after-replan | unreachable | Ceph did not get it done in time (errno 110): no'],
  [77, 'refused | never | Ceph refused it (errno 77): no'],
])('puts errno %s of a monitor into words', (errno, expected) => {
  expect(said(refusedBy('mon', errno, 'no'))).toBe(expected);
});

it.each([107, 108, 112])("takes errno %i for nobody's failure", (errno) => {
  expect(refusedBy('mon', errno, '')).toMatchObject({
    retry: 'after-replan',
    cause: 'unreachable',
  });
});

it('takes a manager daemon that knows no commands for one that has just begun', () => {
  expect(said(refusedBy('mgr', 95, 'Warning: due to ceph-mgr restart'))).toBe(
    'refused | after-replan | unreachable | the manager daemon of Ceph does not take commands yet',
  );
});

it('knows what is absent and what is not allowed by its number', () => {
  expect([2, 13].map((errno) => isAbsent(refusedBy('mon', errno, '')))).toEqual([true, false]);
  expect([2, 13].map((errno) => lacksCaps(refusedBy('mon', errno, '')))).toEqual([false, true]);
});

describe('what Ceph says of a refusal', () => {
  const traceback =
    'Traceback (most recent call last):\n  File "x", line 1\nKeyError: \'vol_name\'\n';

  it.each([
    ['is one line', 'one\ntwo', 'one'],
    ['has no blanks to spare', '  a\t\tb  ', 'a b'],
    ['is the last line of a traceback', traceback, "KeyError: 'vol_name'"],
    ['shows no characters that steer a terminal', 'a\u001B[31mb\u202Ec', 'a [31mb c'],
    ['shows no key', 'key = AQCg5A1rAAAAABAABV7vm3gd7q2ouyVYT3DNBg== x', 'key = [secret] x'],
    ['shows paths', '/volumes/sites/a-long-name/s1', '/volumes/sites/a-long-name/s1'],
    ['may be nothing', '\n \n', ''],
  ])('%s', (_, text, expected) => {
    expect(shortened(text)).toBe(expected);
  });

  it('is short, and whole as a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const short = shortened(text);
        return short.length <= 203 && !/\p{Cc}/u.test(short);
      }),
    );
  });

  it('never shows a key, whatever stands around it', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 32 });
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), (random, before, after) => {
        const kind = random.length > 24 ? 2 : 1;
        const key = Buffer.from([kind, 0, ...Buffer.alloc(10, 7), ...random]);
        const text = key.toString('base64');
        return !shortened(`${before} ${text} ${after}`).includes(text.slice(4, 24));
      }),
    );
  });
});

describe('a process that takes no commands', () => {
  it.each([
    ['module', 5, '`/p` has no module `rados`: install python3-rados, or name another'],
    ['conf', 2, 'the configuration of Ceph, `/c`, is not there'],
    ['conf', 13, 'the configuration of Ceph, `/c`, may not be read'],
    ['conf', 22, 'the configuration of Ceph, `/c`, cannot be understood (errno 22)'],
    ['keyring', 2, 'the keyring of Ceph, `/k`, is not there'],
    ['connect', 13, 'the monitors of Ceph do not let `client.u` in: the key in `/k` is not'],
    ['connect', 1, 'the monitors of Ceph do not let `client.u` in: the key in `/k` is not'],
    ['connect', 2, 'the configuration of Ceph, `/c`, names no monitor that is found'],
    ['connect', 5, 'the key of `client.u` in `/k` cannot be used (errno 5)'],
  ] as const)('says what a person has to look at: %s %s', (failed, code, expected) => {
    const found = notBegun({ failed, code, text: 'AQsecret' }, way, 4);
    expect(found.needsPerson).toBe(true);
    expect(said(found)).toContain(`refused | after-replan | unreachable | ${expected}`);
  });

  it('may be one that nobody but the network can help', () => {
    const found = notBegun({ failed: 'connect', code: 110, text: '' }, way, 4);
    expect(found).toEqual({
      status: 'refused',
      why: 'no monitor of Ceph let us in within 4 s: they are not reached, or they have no quorum',
      retry: 'after-replan',
      cause: 'unreachable',
    });
  });

  it.each([
    [{ how: 'not-started', code: 'ENOENT' }, '`/p` cannot be started (ENOENT): the settings name'],
    [{ how: 'exit', code: 2 }, 'what speaks to Ceph ended before it began (code 2)'],
    [{ how: 'signal', name: 'SIGSEGV' }, 'what speaks to Ceph ended before it began (SIGSEGV)'],
  ] as const)('may have ended: %j', (ending, expected) => {
    expect(endedEarly(ending, way).why).toContain(expected);
  });
});
