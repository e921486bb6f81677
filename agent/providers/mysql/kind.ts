import { z } from 'zod';

import { MySQLDatabase, MySQLRole, MySQLUser } from '../../../schemas/mysql.ts';
import { unlookedKind } from '../../core/data-kind.ts';
import type { Health, Kind, Release, Rendered } from '../../core/kind.ts';
import { expired } from './expired.ts';
import type { Random } from './hash.ts';
import { hiddenLeft, membersLeft, removeLeft } from './left.ts';
import type { MysqlCall } from './observed.ts';
import type { MysqlSpec, UserSpec } from './spec.ts';
import { diffUnit, type MysqlObserved, sightOf } from './unit-diff.ts';
import { targetOf } from './unit-parts.ts';

/**
 * Databases, roles and accounts: what differs and how they do, from data alone. They only go forward; a database that leaves the
 * repository stays on its server, and so does the rest unless its document said otherwise. `random`: for the salts of passwords that are written.
 */
export function mysqlKind(random: Random): Kind<MysqlSpec, MysqlObserved, MysqlCall> {
  return {
    ...unknownServers,
    diff: (unit, observed) => diffUnit(unit, observed, random),
    health: ({ spec }, observed) => healthOf(spec, observed),
    members: membersLeft,
    remove: removeLeft,
    hidden: hiddenLeft,
    leftovers: expired,
    sizes: ({ servers }) =>
      Object.fromEntries(
        [...servers].flatMap(([name, sight]) =>
          sight.status === 'seen' ? [[`accounts on ${name}`, sight.seen.accounts.size]] : [],
        ),
      ),
  };
}

/** The same for one who does not look at servers: nothing is said to differ, and all are well. */
export const unknownServers = unlookedKind<MysqlSpec, MysqlCall>({
  kind: 'mysql',
  release: ({ spec }) => contentOf(spec),
  restore: restoreUnit,
  parts: partsOf,
});

/** By whether its server can be asked: what differs is seen elsewhere. */
function healthOf(spec: MysqlSpec, observed: MysqlObserved): Health {
  const sight = sightOf(spec, observed);
  if (sight.status === 'seen') {
    const { host } = sight.seen;
    return { status: 'converged', members: host, summary: `on ${host}` };
  }
  return { status: 'outside', why: sight.why, summary: 'its server is not reached' };
}

function partsOf({ spec }: Rendered<MysqlSpec>): readonly string[] {
  if (spec.kind !== 'MySQLUser') return [targetOf(spec)];
  return spec.hosts.map((host) => targetOf(spec, host));
}

/** What it was, without what it may do and how it is opened: nothing is ever brought back from it. */
const Content = z.strictObject({
  kind: z.enum(['MySQLDatabase', 'MySQLRole', 'MySQLUser']),
  name: z.string(),
  server: z.string().exactOptional(),
  hosts: z.array(z.string()).exactOptional(),
});

function contentOf(spec: MysqlSpec): z.output<typeof Content> {
  const { kind, name, server } = spec;
  return {
    kind,
    name,
    ...(server !== undefined && { server }),
    ...(spec.kind === 'MySQLUser' && { hosts: spec.hosts }),
  };
}

const restored = new WeakMap<Release, Rendered<MysqlSpec>>();

function restoreUnit(
  id: Rendered<MysqlSpec>['id'],
  release: Release,
): Rendered<MysqlSpec> | undefined {
  const known = restored.get(release);
  if (known !== undefined) return known;
  const content = Content.safeParse(release.content);
  if (!content.success) return undefined;
  const { digest } = release;
  const place = { file: '', line: 1, column: 1, length: 1, quoted: '' };
  const lists = { dependsOn: [], needs: [], gives: [] };
  const unit = { id, spec: specOf(content.data), digest, place, ...lists };
  restored.set(release, unit);
  return unit;
}

function specOf({ kind, name, server, hosts }: z.output<typeof Content>): MysqlSpec {
  const where = server === undefined ? {} : { server };
  switch (kind) {
    case 'MySQLDatabase':
      return { ...own(MySQLDatabase.parse({ kind, name })), ...where };
    case 'MySQLRole':
      return { ...own(MySQLRole.parse({ kind, name })), ...where };
    case 'MySQLUser': {
      const unknown: UserSpec['password'] = { from: 'hash', hash: '' };
      const parsed = MySQLUser.parse({ kind, name, hosts, password: { hash: '-' } });
      return { ...own(parsed), ...where, password: unknown };
    }
  }
}

function own<Document extends { readonly server: string }>(
  document: Document,
): Omit<Document, 'server'> {
  const { server: _server, ...rest } = document;
  return rest;
}
