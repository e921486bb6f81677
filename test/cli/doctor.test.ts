import { describe, expect, it } from 'vitest';

import { doctorCommand } from '../../agent/cli/doctor.ts';
import type { DoctorIo, PlaceDesk } from '../../agent/cli/doctor-ports.ts';
import type { Finding } from '../../agent/core/finding.ts';
import type { CallOutcome } from '../../agent/core/kind.ts';
import { VirtualClock } from '../fakes/clock.ts';

const { signal } = new AbortController();
const finding = (severity: Finding['severity'], parts: Partial<Finding> = {}): Finding => ({
  severity,
  code: 'subnet-full',
  what: 'it is full',
  where: 'network blog_default',
  why: 'that is why',
  advice: 'make another one',
  ...parts,
});

async function run(
  args: readonly string[],
  seen: CallOutcome<{ readonly swarmId: string; readonly findings: readonly Finding[] }>,
  mysql: Awaited<ReturnType<PlaceDesk['examine']>> = { status: 'failed', why: 'not asked' },
) {
  const said = { out: '', err: '', closed: 0, stuckMs: 0, socket: '', settings: '' };
  const io: DoctorIo = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    colour: false,
    clock: new VirtualClock(),
    environment: {},
    open: (socket) => ({
      examine: (stuckMs) => {
        Object.assign(said, { stuckMs, socket });
        return Promise.resolve(seen);
      },
      close: () => void (said.closed += 1),
    }),
    openMysql: (path) => {
      said.settings = path;
      return { examine: async () => Promise.resolve(mysql) };
    },
    openCeph: (path) => {
      said.settings = path;
      return { examine: async () => Promise.resolve(mysql) };
    },
  };
  return { code: await doctorCommand(args, io, signal), ...said };
}

const ok = (...findings: readonly Finding[]) =>
  ({ status: 'ok', value: { swarmId: 'abc', findings } }) as const;

describe('understudy doctor', () => {
  it.each`
    what           | severities                 | code | last
    ${'nothing'}   | ${[]}                      | ${0} | ${'nothing to do\n'}
    ${'a note'}    | ${['note']}                | ${0} | ${'0 critical, 0 warnings, 1 note\n'}
    ${'a warning'} | ${['warning', 'note']}     | ${1} | ${'0 critical, 1 warning, 1 note\n'}
    ${'critical'}  | ${['critical', 'warning']} | ${1} | ${'1 critical, 1 warning, 0 notes\n'}
  `('ends with $code for $what', async ({ severities, code, last }) => {
    const findings = severities.map((severity: Finding['severity']) => finding(severity));
    const done = await run(['--swarm'], ok(...findings));
    expect(done).toMatchObject({ code, closed: 1 });
    expect(done.out.endsWith(last)).toBe(true);
  });

  it('says what, where, why and what to do, and the command as text', async () => {
    const { out } = await run([], ok(finding('critical', { command: 'docker network rm abc' })));
    expect(out).toBe(
      [
        'critical[subnet-full]: network blog_default: it is full',
        '  why  that is why',
        '  do   make another one',
        '       docker network rm abc',
        '',
        '1 critical, 0 warnings, 0 notes',
        '',
      ].join('\n'),
    );
  });

  it('lets no text of others move the cursor', async () => {
    const { out } = await run([], ok(finding('warning', { where: 'network \u001b[2J' })));
    expect(out).not.toContain('\u001b');
  });

  it('gives one JSON object', async () => {
    const { out, code } = await run(['--json'], ok(finding('warning')));
    expect(JSON.parse(out)).toEqual({
      swarm: 'abc',
      counts: { critical: 0, warning: 1, note: 0 },
      findings: [finding('warning')],
    });
    expect(code).toBe(1);
  });

  it('ends with 6 where there is no leader, and says what helps', async () => {
    const seen = { status: 'unknown', why: 'no leader', cause: 'no-leader' } as const;
    const done = await run([], seen);
    expect(done).toMatchObject({ code: 6, closed: 1 });
    expect(done.err).toContain('docker swarm init --force-new-cluster');
    const json = await run(['--json'], seen);
    expect(JSON.parse(json.out)).toEqual({ error: expect.stringContaining('has no leader') });
  });

  it.each`
    args                         | stuckMs    | code
    ${[]}                        | ${300_000} | ${0}
    ${['--stuck-after', '90s']}  | ${90_000}  | ${0}
    ${['--stuck-after', 'soon']} | ${0}       | ${2}
    ${['--stuck-after', '0s']}   | ${0}       | ${2}
    ${['--ceph']}                | ${0}       | ${6}
  `('takes $args', async ({ args, stuckMs, code }) => {
    expect(await run(args, ok())).toMatchObject({ stuckMs, code });
  });

  describe('with --mysql', () => {
    const lacks = finding('critical', { code: 'mysql-right-missing', where: 'server main' });
    const swarmly = ok(finding('note'));
    const mysql = { status: 'ok', findings: [lacks] } as const;

    it('looks at the servers alone, by the settings of the agent', async () => {
      const done = await run(['--mysql', '--json'], swarmly, mysql);
      expect(done).toMatchObject({ code: 1, closed: 0, settings: '/etc/understudy/agent.yaml' });
      expect(JSON.parse(done.out)).toEqual({
        counts: { critical: 1, warning: 0, note: 0 },
        findings: [lacks],
      });
    });

    it('looks at both where both are named, the worst first', async () => {
      const done = await run(
        ['--swarm', '--mysql', '--settings', 'a.yaml', '--json'],
        swarmly,
        mysql,
      );
      expect(done).toMatchObject({ code: 1, closed: 1, settings: 'a.yaml' });
      const { swarm, findings } = JSON.parse(done.out);
      expect([swarm, findings.map(({ code }: Finding) => code)]).toEqual([
        'abc',
        ['mysql-right-missing', 'subnet-full'],
      ]);
    });

    it.each<[readonly string[], number, RegExp]>([
      [['--mysql'], 6, /not asked/],
      [['--settings', 'a.yaml'], 2, /`--settings` is for `--mysql`/],
    ])('ends %j with %d', async (args, code, why) => {
      const done = await run(args, swarmly);
      expect(done.code).toBe(code);
      expect(done.err).toMatch(why);
    });
  });
});
