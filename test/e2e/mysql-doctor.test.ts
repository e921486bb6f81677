import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { doctorCommand } from '../../agent/cli/doctor.ts';
import { systemClock } from '../../agent/clock.ts';
import { digestOf } from '../../agent/core/digest.ts';
import type { Finding } from '../../agent/core/finding.ts';
import type { Id, Rendered } from '../../agent/core/kind.ts';
import { doctorIo } from '../../agent/doctoring.ts';
import { removeLeft } from '../../agent/providers/mysql/left.ts';
import { mysqlKind } from '../../agent/providers/mysql/kind.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlSpec } from '../../agent/providers/mysql/spec.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';
import { newPlan, PASSWORD, plainly, programsOf, started } from './database.ts';

/** `understudy doctor --mysql` on real servers: what it prints is enough for all that the agent does. */
describe.each<Flavor>(['mysql', 'mariadb'])('the rights of the agent on %s', (flavor) => {
  let plan: ServerPlan;
  let server: Server;
  let settingsFile: string;
  const opened: Servers[] = [];
  const signal = (): AbortSignal => AbortSignal.timeout(60_000);

  beforeAll(async () => {
    plan = newPlan();
    server = await started(await programsOf(flavor), plan);
    settingsFile = join(dirname(plan.folder), 'agent.yaml');
    await asRoot(`CREATE USER little@'%' IDENTIFIED BY '${PASSWORD}'`);
    writeFileSync(settingsFile, JSON.stringify({ mysql: { main: settings() } }));
  });
  afterAll(async () => {
    for (const one of opened) one.close();
    await server.stop();
    rmSync(dirname(plan.folder), { recursive: true });
  });

  const settings = () => {
    const ca = { caFile: join(plan.folder, 'data', 'ca.pem'), verifyName: false };
    const tls = { ...ca, mode: 'required' as const };
    return {
      hosts: [`127.0.0.1:${server.port}`],
      user: 'little',
      passwordFile: plan.passwordFile,
      tls: flavor === 'mysql' ? tls : { mode: 'off' as const, verifyName: true },
      databases: [],
    };
  };
  const asRoot = async (text: string): Promise<readonly Record<string, unknown>[]> =>
    await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
      const [rows] = await one.query<never[]>(text);
      return rows;
    });

  async function doctor(): Promise<{
    readonly code: number;
    readonly findings: readonly Finding[];
  }> {
    let out = '';
    const output = {
      out: (text: string) => void (out += text),
      err: () => undefined,
      colour: false,
    };
    const args = ['--mysql', '--json', '--settings', settingsFile];
    const code = await doctorCommand(args, doctorIo(output, {}), signal());
    expect(out).not.toContain(PASSWORD);
    return { code, findings: JSON.parse(out).findings };
  }

  it('are told as the GRANTs that are missing, to an account that has none', async () => {
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(findings.map(({ severity }) => severity)).toEqual(
      flavor === 'mysql'
        ? ['critical', 'critical', 'critical', 'critical', 'critical', 'warning', 'warning']
        : ['critical', 'critical', 'critical', 'critical', 'warning', 'note'],
    );
    for (const { command = '' } of findings) await asRoot(command.replace(/;$/, ''));
    expect(await doctor()).toEqual({ code: 0, findings: [] });
  });

  it('are found where they are given by a pattern', async () => {
    await asRoot("REVOKE ALL PRIVILEGES ON `understudy`.* FROM little@'%'");
    const words = 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER';
    await asRoot(`GRANT ${words} ON \`under%\`.* TO little@'%'`);
    expect(await doctor()).toEqual({ code: 0, findings: [] });
  });

  it('are enough then to make a database, a role and an account, and to let them go', async () => {
    const servers = openServers(
      { main: settings() },
      { clock: systemClock, guard: { refusal: () => undefined }, term: () => 1, holder: 'one' },
    );
    opened.push(servers);
    const kind = mysqlKind((bytes) => randomBytes(bytes));
    const look = async () => ({
      servers: await servers.observe(['main'], signal()),
      secrets: new Map(),
    });
    const call = async (statements: Parameters<Servers['call']>[0]['statements']) => {
      const outcome = await servers.call({ op: 'statements', statements }, signal());
      const again = outcome.status === 'refused' && outcome.cause === 'out-of-sequence';
      expect(again ? 'ok' : outcome.status).toBe('ok');
    };
    const unit = (
      id: Id,
      { server: _server, ...spec }: { readonly server: string } & MysqlSpec,
    ) => {
      const place = { file: 'a.yaml', line: 1, column: 1, length: 1, quoted: '' };
      const rest = { place, dependsOn: [], needs: [], gives: [] };
      const made: Rendered<MysqlSpec> = { id, spec, digest: digestOf(spec), ...rest };
      return made;
    };
    const name = 'site_blog';
    const reads = [{ privileges: ['ALL'], database: name }];
    const hash = flavor === 'mysql' ? `$A$005$${'a'.repeat(63)}` : `*${'A'.repeat(40)}`;
    const password = { hash };
    const units = [
      unit('mysql-database/site_blog', MySQLDatabase.parse({ kind: 'MySQLDatabase', name })),
      unit('mysql-role/readers', MySQLRole.parse({ kind: 'MySQLRole', name: 'readers', privileges: reads })), // prettier-ignore
      unit('mysql-user/blog', {
        ...MySQLUser.parse({
          kind: 'MySQLUser',
          name: 'blog',
          password,
          privileges: reads,
          roles: ['readers'],
          defaultRoles: ['readers'],
          deletionPolicy: 'Delete',
        }),
        password: { from: 'hash', hash },
      }),
    ];
    for (const one of units) {
      for (let round = 0; round < 4; round += 1) {
        const { operations, blocked } = kind.diff(one, await look());
        expect(blocked).toEqual([]);
        for (const { call: said } of operations)
          await call(said.op === 'statements' ? said.statements : []);
      }
      expect(kind.diff(one, await look()).operations).toEqual([]);
    }
    const members = kind.members('mysql-user/blog', await look());
    const { operations } = removeLeft('mysql-user/blog', members, await look());
    for (const { call: said } of operations)
      await call(said.op === 'statements' ? said.statements : []);
    await asRoot('UPDATE understudy.ledger SET left_at = left_at - INTERVAL 31 DAY');
    for (const { operation } of kind.leftovers?.(await look()) ?? [])
      await call(operation.call.op === 'statements' ? operation.call.statements : []);
    expect(await asRoot("SELECT 1 FROM mysql.user WHERE User = 'blog'")).toEqual([]);
    expect(await asRoot("SELECT id FROM understudy.ledger WHERE id = 'mysql-user/blog'")).toEqual(
      [],
    );
  });

  it('are not known where nobody lets the agent in', async () => {
    await asRoot("ALTER USER little@'%' ACCOUNT LOCK");
    const { code, findings } = await doctor();
    expect([code, findings.map((one) => one.code)]).toEqual([1, ['mysql-unreached']]);
  });
});
