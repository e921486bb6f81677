import { isLike } from './like.ts';
import type { MysqlSpec } from './spec.ts';

/**
 * Pure. Why a document asks for what the agent's setting `mysql.NAME.databases` keeps from it; undefined where it does not. An empty
 * setting keeps nothing. The rights of the agent's own account are the real bound: this one says it in words, and beforehand.
 */
export function scopeProblem(spec: MysqlSpec, scope: readonly string[]): string | undefined {
  if (scope.length === 0) return undefined;
  const outside = databasesOf(spec).find((one) => !isInside(one, scope));
  if (outside === undefined) return undefined;
  const { name, pattern } = outside;
  const what =
    name === '*' ? 'everything' : `${pattern ? 'the pattern' : 'the database'} \`${name}\``;
  return `${what} is not what the agent's setting \`databases\` lets it touch: ${scope.join(', ')}`;
}

interface Named {
  readonly name: string;
  readonly pattern: boolean;
}

function databasesOf(spec: MysqlSpec): readonly Named[] {
  if (spec.kind === 'MySQLDatabase') return [{ name: spec.name, pattern: false }];
  return spec.privileges.map(({ database: name, pattern }) => ({ name, pattern }));
}

/** A pattern may open more than another one covers, so it has to be written in the same way. */
function isInside({ name, pattern }: Named, scope: readonly string[]): boolean {
  if (pattern) return scope.includes(name);
  return name !== '*' && scope.some((one) => isLike(name, one));
}
