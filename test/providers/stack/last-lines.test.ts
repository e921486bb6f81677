import { describe, expect, it } from 'vitest';

import type { Answer } from '../../../agent/core/kind.ts';
import { stackGivenUp, stackHealth } from '../../../agent/providers/stack/health.ts';
import { lastLines } from '../../../agent/providers/stack/last-lines.ts';
import { live, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const web = service('web');
const wanted = unit({ services: { web } });
const crash = { state: 'failed', error: 'task: non-zero exit (3)', exitCode: 3 };
const world = (parts: object) =>
  observed({
    services: [live(web)],
    tasks: ['x', 'y', 'z'].map((id) => task(id, { desiredState: 'shutdown', ...parts })),
  });
const answered = (answer: Partial<Answer>) =>
  new Map([
    ['log of x', { status: 'good', detail: '', inARow: 1, wasGood: true, ...answer } as const],
  ]);
const EVIDENCE = 'failed on w1, task: non-zero exit (3), 3 times';

describe('a verdict', () => {
  it('waits until the log of the first failed task was asked for', () => {
    expect(stackHealth(wanted, world(crash), seen({ logs: true }))).toMatchObject({
      status: 'failing',
      reading: true,
      asks: [{ name: 'log of x', question: { ask: 'log', task: 'x' } }],
    });
  });

  it('has the last lines in its evidence', () => {
    const answers = answered({ detail: 'one\ntwo\nno database\n' });
    const health = stackHealth(wanted, world(crash), seen({ logs: true, answers }));
    expect(health).toMatchObject({
      status: 'failing',
      evidence: `${EVIDENCE}; its last lines: one | two | no database`,
    });
    expect(health).not.toHaveProperty('reading');
  });

  const CONTAINER = 'ab'.repeat(32);
  const unhealthy = {
    ...crash,
    error: 'task: non-zero exit (137): dockerexec: unhealthy container',
    exitCode: 137,
    container: CONTAINER,
  };

  it('of a healthcheck waits for what that said as well, and tells it first', () => {
    const waits = stackHealth(
      wanted,
      world(unhealthy),
      seen({ logs: true, answers: answered({ detail: 'serving' }) }),
    );
    expect(waits).toMatchObject({
      reading: true,
      asks: [
        { question: { ask: 'check', container: CONTAINER } },
        { question: { ask: 'log', task: 'x' } },
      ],
    });
    const said = {
      status: 'good',
      detail: 'connection refused\u001b[2J\n',
      inARow: 1,
      wasGood: true,
    } as const;
    const answers = new Map([...answered({ detail: 'serving' }), [`check of ${CONTAINER}`, said]]);
    expect(stackHealth(wanted, world(unhealthy), seen({ logs: true, answers }))).toMatchObject({
      code: 'unhealthy',
      evidence: expect.stringMatching(
        /; its healthcheck said: connection refused; its last lines: serving$/,
      ),
    });
    const elsewhere = new Map([
      ...answered({ detail: 'serving' }),
      [`check of ${CONTAINER}`, { ...said, status: 'open', detail: '' } as const],
    ]);
    expect(
      stackHealth(wanted, world(unhealthy), seen({ logs: true, answers: elsewhere })),
    ).toMatchObject({
      evidence: expect.not.stringContaining('healthcheck said'),
    });
  });

  it('that is no healthcheck’s asks for no check', () => {
    const { asks } = stackHealth(
      wanted,
      world({ ...crash, container: CONTAINER }),
      seen({ logs: true }),
    );
    expect(asks).toHaveLength(1);
  });

  it('does not show the value of a variable from an encrypted file, nor a part of it', () => {
    const hidden = {
      ...web,
      TaskTemplate: {
        ...web.TaskTemplate,
        ContainerSpec: {
          ...web.TaskTemplate.ContainerSpec,
          Env: ['HARMLESS=db://app:canary-77@h', 'PLAIN=visible'],
        },
      },
    };
    const sealed = unit({ services: { web: hidden }, hidden: { web: ['HARMLESS'] } });
    const state = observed({
      services: [live(hidden)],
      tasks: ['x', 'y', 'z'].map((id) => task(id, { desiredState: 'shutdown', ...crash })),
    });
    const answers = answered({ detail: 'db://app:canary-77@h\nword canary-77 is visible' });
    expect(stackHealth(sealed, state, seen({ logs: true, answers }))).toMatchObject({
      evidence: `${EVIDENCE}; its last lines: [secret] | word [secret] is visible`,
    });
  });

  it.each<[string, Partial<Answer>]>([
    ['cannot be read', { status: 'open', detail: 'whatever' }],
    ['is empty', { detail: '\n\r\n' }],
  ])('does not wait for a log that %s', (_what, answer) => {
    const health = stackHealth(
      wanted,
      world(crash),
      seen({ logs: true, answers: answered(answer) }),
    );
    expect(health).toMatchObject({ status: 'failing', evidence: EVIDENCE });
    expect(health).not.toHaveProperty('reading');
  });

  it.each<[string, object]>([
    ['was rejected', { state: 'rejected', error: 'invalid mount config' }],
    ['did not start', { ...crash, error: 'starting container failed: exec' }],
  ])('asks for no log of a task that %s', (_what, parts) => {
    const health = stackHealth(wanted, world(parts), seen({ logs: true }));
    expect(health).not.toHaveProperty('reading');
  });

  it('asks for no log where nobody judges', () => {
    expect(stackHealth(wanted, world(crash), seen())).not.toHaveProperty('reading');
  });

  it('has them too where the engine gave the update up', () => {
    const state = observed({
      services: [live(web, { updateState: 'rollback_completed' })],
      tasks: [task('x', { ...crash, desiredState: 'shutdown' })],
      freshTaskIds: new Set(),
    });
    const answers = answered({ detail: 'no database' });
    expect(stackGivenUp(wanted, state, seen({ logs: true, answers }))).toMatchObject({
      evidence: expect.stringContaining('its last lines: no database'),
    });
  });
});

describe('the last lines of a log', () => {
  const spec = {
    ...web,
    TaskTemplate: {
      ...web.TaskTemplate,
      ContainerSpec: {
        ...web.TaskTemplate.ContainerSpec,
        Env: ['DB_PASSWORD=hunter22', 'API_TOKEN=hunter2233', 'PORT=8080', 'SHORT_TOKEN=abc'],
      },
    },
  };
  it.each<[string, string, readonly string[]]>([
    ['are the last five', '1\n2\n3\n4\n5\n6\n', ['2', '3', '4', '5', '6']],
    [
      'have no colour and move no cursor',
      '\u001b[31mred\u001b[0m\u001b[2J a\u0007b',
      ['red a\\x07b'],
    ],
    ['have no text that turns round', 'a\u202eb', ['a\\u{202e}b']],
    ['are cut', 'x'.repeat(500), [`${'x'.repeat(160)}…`]],
    [
      'hide the value of a variable that looks secret',
      'login hunter22 at 8080',
      ['login [secret] at 8080'],
    ],
    ['hide the longer one of two', 'login hunter2233', ['login [secret]']],
    ['hide what follows a word for a secret', 'password=abc', ['password=[secret]']],
    ['hide the password of an address', 'mysql://app:abc@db/blog', ['mysql://app:[secret]']],
  ])('%s', (_what, log, lines) => {
    expect(lastLines(log, spec)).toEqual(lines);
  });
});
