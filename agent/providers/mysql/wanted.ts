import { type Wanted, roleName } from './diff.ts';
import { CACHING, NATIVE } from './hash.ts';
import type { WantedPassword } from './password-diff.ts';
import { resolved } from './privileges.ts';
import type { Server } from './server.ts';
import type { RoleSpec, UserSpec } from './spec.ts';

/** What a document asks for on one server, or why that server cannot give it. */
export type WantedOnServer =
  { readonly wanted: readonly Wanted[] } | { readonly refusals: readonly string[] };

/** Pure. */
export function wantedRole(spec: RoleSpec, server: Server): WantedOnServer {
  const { grants, refusals } = resolved(spec.privileges, server);
  if (refusals.length > 0) return { refusals: inWords(refusals) };
  return { wanted: [{ ...roleName(spec.name, server), grants, roles: [] }] };
}

/** Pure. One a host, and all with the same password. */
export function wantedUser(
  spec: UserSpec,
  { fresh, keepEarlier }: Pick<WantedPassword, 'fresh' | 'keepEarlier'>,
  { server, hasTls }: { readonly server: Server; readonly hasTls: boolean },
): WantedOnServer {
  const { grants, refusals } = resolved(spec.privileges, server);
  const problems = [...inWords(refusals), ...problemsOf(spec, server, hasTls)];
  if (problems.length > 0) return { refusals: problems };
  const roles = spec.roles.map((name) => roleName(name, server));
  const login = {
    password: { fresh, keepEarlier },
    defaultRoles: spec.defaultRoles.map((name) => roleName(name, server)),
    require: spec.require,
    limits: spec.limits,
    locked: spec.locked,
  };
  return { wanted: spec.hosts.map((host) => ({ user: spec.name, host, grants, roles, login })) };
}

/** Pure. The plugin that a document means where it names none. */
export function pluginOf({ plugin }: Pick<UserSpec, 'plugin'>, { flavor }: Server): string {
  return plugin ?? (flavor === 'mysql' ? CACHING : NATIVE);
}

function problemsOf(spec: UserSpec, server: Server, hasTls: boolean): readonly string[] {
  const isMariadb = server.flavor === 'mariadb';
  const plugin = pluginOf(spec, server);
  return [
    ...(isMariadb && plugin === CACHING ? [`MariaDB has no \`${CACHING}\``] : []),
    ...(isMariadb && spec.defaultRoles.length > 1 ? ['MariaDB takes one default role'] : []),
    ...(spec.require !== 'none' && !hasTls
      ? ['the server has no TLS, so nobody could log in: leave out `require`']
      : []),
  ];
}

function inWords(
  refusals: readonly { readonly path: readonly (string | number)[]; readonly reason: string }[],
): readonly string[] {
  return refusals.map(({ path, reason }) => `privileges.${path.join('.')}: ${reason}`);
}
