import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, messageIn, type Reply } from '../../../agent/providers/stack/classify.ts';

function said(status: number, message: string): Reply {
  return { kind: 'answer', status, text: `${JSON.stringify({ message })}\n` };
}

const rpc = 'rpc error: code =';

describe('classify', () => {
  it.each`
    status | message                                                                                   | outcome      | retry             | cause
    ${500} | ${`${rpc} Unknown desc = update out of sequence`}                                         | ${'refused'} | ${'after-replan'} | ${'out-of-sequence'}
    ${409} | ${`${rpc} AlreadyExists desc = name conflicts with an existing object: service a exists`} | ${'refused'} | ${'after-replan'} | ${'name-taken'}
    ${409} | ${`${rpc} AlreadyExists desc = config a already exists`}                                  | ${'refused'} | ${'after-replan'} | ${'name-taken'}
    ${409} | ${'network with name a already exists'}                                                   | ${'refused'} | ${'after-replan'} | ${'name-taken'}
    ${409} | ${'some other conflict'}                                                                  | ${'refused'} | ${'after-replan'} | ${undefined}
    ${404} | ${'service a not found'}                                                                  | ${'refused'} | ${'after-replan'} | ${undefined}
    ${404} | ${'page not found'}                                                                       | ${'refused'} | ${'never'}        | ${undefined}
    ${500} | ${'network nowhere not found\n'}                                                          | ${'refused'} | ${'after-replan'} | ${undefined}
    ${400} | ${`${rpc} InvalidArgument desc = config not found: a`}                                    | ${'refused'} | ${'after-replan'} | ${undefined}
    ${400} | ${`${rpc} InvalidArgument desc = config 'a' is in use by the following service: b`}       | ${'refused'} | ${'after-replan'} | ${undefined}
    ${400} | ${`${rpc} FailedPrecondition desc = network a is in use by service b`}                    | ${'refused'} | ${'after-replan'} | ${undefined}
    ${400} | ${`${rpc} InvalidArgument desc = port '80' is already in use by service 'a'`}             | ${'refused'} | ${'after-replan'} | ${undefined}
    ${400} | ${`${rpc} InvalidArgument desc = only updates to Labels are allowed`}                     | ${'refused'} | ${'never'}        | ${'other-content'}
    ${400} | ${`${rpc} InvalidArgument desc = config data must be larger than 0`}                      | ${'refused'} | ${'never'}        | ${undefined}
    ${400} | ${'client version 1.41 is too old. Minimum supported API version is 1.44'}                | ${'refused'} | ${'never'}        | ${undefined}
    ${403} | ${'operation not permitted'}                                                              | ${'refused'} | ${'never'}        | ${undefined}
    ${413} | ${''}                                                                                     | ${'refused'} | ${'never'}        | ${undefined}
    ${431} | ${''}                                                                                     | ${'refused'} | ${'never'}        | ${undefined}
    ${429} | ${'slow down'}                                                                            | ${'refused'} | ${'after-replan'} | ${undefined}
    ${501} | ${`${rpc} Unimplemented desc = service mode change is not allowed`}                       | ${'refused'} | ${'never'}        | ${undefined}
    ${500} | ${`${rpc} Unknown desc = raft: raft message is too large and can't be sent`}              | ${'refused'} | ${'never'}        | ${undefined}
    ${503} | ${'This node is not a swarm manager. Use "docker swarm init"'}                            | ${'refused'} | ${'after-replan'} | ${'not-a-manager'}
    ${503} | ${'Swarm is encrypted and needs to be unlocked before it can be used.'}                   | ${'refused'} | ${'after-replan'} | ${'not-a-manager'}
    ${503} | ${'Swarm certificates have expired.'}                                                     | ${'refused'} | ${'after-replan'} | ${'not-a-manager'}
    ${500} | ${`${rpc} Unknown desc = The swarm does not have a leader. It's possible`}                | ${'unknown'} | ${undefined}      | ${'no-leader'}
    ${503} | ${`${rpc} Unknown desc = The swarm does not have a leader. It's possible`}                | ${'unknown'} | ${undefined}      | ${'no-leader'}
    ${500} | ${'raft: failed to process the request: node lost leader status'}                         | ${'unknown'} | ${undefined}      | ${'no-leader'}
    ${500} | ${'no elected cluster leader'}                                                            | ${'unknown'} | ${undefined}      | ${'no-leader'}
    ${500} | ${`${rpc} DeadlineExceeded desc = context deadline exceeded`}                             | ${'unknown'} | ${undefined}      | ${'no-leader'}
    ${500} | ${`${rpc} Unavailable desc = transport is closing`}                                       | ${'unknown'} | ${undefined}      | ${undefined}
    ${500} | ${'EOF'}                                                                                  | ${'unknown'} | ${undefined}      | ${undefined}
    ${502} | ${'<html>bad gateway</html>'}                                                             | ${'unknown'} | ${undefined}      | ${undefined}
    ${503} | ${'busy'}                                                                                 | ${'unknown'} | ${undefined}      | ${undefined}
    ${408} | ${''}                                                                                     | ${'unknown'} | ${undefined}      | ${undefined}
    ${301} | ${''}                                                                                     | ${'unknown'} | ${undefined}      | ${undefined}
  `('$status $message: $outcome $retry $cause', ({ status, message, outcome, retry, cause }) => {
    expect(classify(said(status, message))).toEqual({
      status: outcome,
      why: expect.stringMatching(/./),
      ...(retry === undefined ? {} : { retry }),
      ...(cause === undefined ? {} : { cause }),
    });
  });

  it.each`
    reply                                                            | cause            | why
    ${{ kind: 'failed', how: 'deadline' }}                           | ${'unreachable'} | ${'no answer in time'}
    ${{ kind: 'failed', how: 'truncated' }}                          | ${'unreachable'} | ${'the answer was cut off'}
    ${{ kind: 'failed', how: 'connection', code: 'ECONNRESET' }}     | ${'unreachable'} | ${'the connection failed (ECONNRESET)'}
    ${{ kind: 'failed', how: 'connection', code: 'ENOENT' }}         | ${'unreachable'} | ${'the connection failed (ENOENT)'}
    ${{ kind: 'failed', how: 'connection' }}                         | ${'unreachable'} | ${'the connection failed'}
    ${{ kind: 'failed', how: 'too-large' }}                          | ${undefined}     | ${'the answer is larger than allowed'}
    ${{ kind: 'failed', how: 'aborted' }}                            | ${undefined}     | ${'stopped while waiting for the answer'}
    ${{ kind: 'answer', status: 200, text: '<html>welcome</html>' }} | ${undefined}     | ${'the answer is not JSON'}
    ${{ kind: 'answer', status: 200, text: '[{"ID":' }}              | ${undefined}     | ${'the answer is not JSON'}
    ${{ kind: 'answer', status: 201, text: 'null' }}                 | ${undefined}     | ${'the answer is not JSON'}
    ${{ kind: 'answer', status: 200, text: '"text"' }}               | ${undefined}     | ${'the answer is not JSON'}
  `('$reply is unknown: $why', ({ reply, cause, why }) => {
    const rest = cause === undefined ? {} : { cause };
    expect(classify(reply)).toEqual({ status: 'unknown', why, ...rest });
  });

  it('is sure that a call which never left was not carried out', () => {
    expect(classify({ kind: 'failed', how: 'queue-full' })).toMatchObject({
      status: 'refused',
      retry: 'after-replan',
    });
  });

  it('gives the JSON of a good answer, and an empty object for an empty one', () => {
    const good = { kind: 'answer', status: 201, text: '{"ID":"a"}\n' } as const;
    expect(classify(good)).toEqual({ status: 'ok', value: { ID: 'a' } });
    expect(classify({ kind: 'answer', status: 204, text: '' })).toEqual({
      status: 'ok',
      value: {},
    });
  });

  it('calls nothing good that is not a whole JSON object or list with a good status', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.string(), (status, text) => {
        const outcome = classify({ kind: 'answer', status, text });
        if (outcome.status !== 'ok') return;
        expect([status >= 200 && status <= 299, typeof outcome.value]).toEqual([true, 'object']);
      }),
    );
  });

  it('passes an engine message on in one bounded line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (message) => {
        const line = messageIn(JSON.stringify({ message }));
        expect(line.length).toBeLessThanOrEqual(300);
        expect(line).not.toMatch(/\p{Cc}/u);
      }),
    );
    expect(messageIn('{"message":"rpc error: code = Unknown desc = a\\u001b[31m\\nb"}')).toBe(
      'a [31m b',
    );
    expect(messageIn('plain text')).toBe('plain text');
  });
});
