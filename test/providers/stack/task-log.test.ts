import { describe, expect, it } from 'vitest';

import { logIn, readTaskLog } from '../../../agent/providers/stack/task-log.ts';
import { type Dial, modemOf } from '../../../agent/providers/stack/transport.ts';

const TASK = 'a'.repeat(25);
const { signal } = new AbortController();
const piece = (text: string, stream = 1): string => {
  const bytes = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]).toString('latin1');
};
const answer = (text: string) => ({ kind: 'answer', status: 200, text }) as const;
const read = (text: string): unknown => logIn(answer(text));

describe('the log of a task', () => {
  it.each<[string, string, string]>([
    ['of both streams', piece('one\n') + piece('two\n', 2), 'one\ntwo\n'],
    ['longer than 127 bytes', piece('é'.repeat(100)), 'é'.repeat(100)],
    ['with a header inside', piece('\u0001\0\0\0\0\0\0\u0002x'), '\u0001\0\0\0\0\0\0\u0002x'],
    ['of a terminal, without headers', 'plain\n', 'plain\n'],
    ['that is cut in a piece', piece('whole\n') + piece('half').slice(0, 10), 'whole\nha'],
    ['of nothing', '', ''],
  ])('%s is read', (_what, text, value) => {
    expect(read(text)).toEqual({ status: 'ok', value });
  });

  it('is asked for with few lines, and its answer is no text', async () => {
    const asked: Dial[] = [];
    const modem = modemOf(
      (dial) => {
        asked.push(dial);
        return Promise.resolve(answer(piece('hello\n')));
      },
      () => undefined,
    );
    expect(await readTaskLog(modem, TASK, signal)).toEqual({ status: 'ok', value: 'hello\n' });
    expect(asked).toMatchObject([
      {
        path: `/tasks/${TASK}/logs`,
        method: 'GET',
        bytes: true,
        options: { _query: { stdout: '1', stderr: '1', tail: '10' } },
      },
    ]);
  });

  it('is not asked for by what is no id', async () => {
    const modem = modemOf(
      () => Promise.reject(new Error('asked')),
      () => undefined,
    );
    expect(await readTaskLog(modem, '../info', signal)).toMatchObject({ status: 'refused' });
  });

  it.each([404, 501])('that the engine refuses with %i is none', (status) => {
    const text = '{"message":"configured logging driver does not support reading"}';
    expect(logIn({ kind: 'answer', status, text })).toMatchObject({ status: 'refused' });
  });

  it('that is too large or late is none', () => {
    expect(logIn({ kind: 'failed', how: 'deadline' })).toMatchObject({ status: 'unknown' });
  });
});
