import type { Privilege } from '../../../schemas/mysql.ts';
import { digestOf } from '../../core/digest.ts';
import type { FieldDiff } from '../../core/kind.ts';
import type { MysqlSpec, PasswordSource, UserSpec } from './spec.ts';

/** What a document says under one name. */
interface Line {
  readonly text: string;
  /** Stands for what nobody may see. */
  readonly hidden?: string;
}

/** Pure. What two versions of a document say differently, secrets blanked; of a new one all that is not as usual. */
export function documentFields(
  before: MysqlSpec | undefined,
  after: MysqlSpec,
): readonly FieldDiff[] {
  const was = before === undefined ? new Map<string, Line>() : linesOf(before);
  const is = linesOf(after);
  const paths = [...new Set([...was.keys(), ...is.keys()])].toSorted();
  return paths.flatMap((path): readonly FieldDiff[] => {
    const [one, other] = [was.get(path), is.get(path)];
    if (one?.text === other?.text && one?.hidden === other?.hidden) return [];
    const sides = {
      ...(one !== undefined && { observed: one.text }),
      ...(other !== undefined && { desired: other.text }),
    };
    return [{ path, ...sides }];
  });
}

function linesOf(spec: MysqlSpec): ReadonlyMap<string, Line> {
  const lines = new Map<string, Line>();
  const say = (path: string, text: string | undefined, hidden?: string): void => {
    if (text !== undefined && text !== '') lines.set(path, { text, ...(hidden && { hidden }) });
  };
  say('server', spec.server);
  say('adopt', spec.adopt ? 'true' : undefined);
  say('deletionPolicy', spec.deletionPolicy === 'Delete' ? 'Delete' : undefined);
  if (spec.kind === 'MySQLDatabase') {
    say('characterSet', spec.characterSet);
    say('collation', spec.collation);
    return lines;
  }
  for (const grant of spec.privileges) {
    const path = `privileges.${levelOf(grant)}`;
    say(path, [lines.get(path)?.text, wordsOf(grant)].filter(Boolean).join('; '));
  }
  if (spec.kind === 'MySQLUser') sayAccount(spec, say);
  return lines;
}

type Say = (path: string, text: string | undefined, hidden?: string) => void;

function sayAccount(spec: UserSpec, say: Say): void {
  const { hosts, password, roles, defaultRoles, require, limits } = spec;
  say('hosts', hosts.length === 1 && hosts[0] === '%' ? undefined : hosts.toSorted().join(', '));
  say('password', ...passwordLine(password));
  say('rotate', spec.rotate);
  say('plugin', spec.plugin);
  say('roles', roles.toSorted().join(', '));
  say('defaultRoles', defaultRoles.toSorted().join(', '));
  say(
    'require',
    typeof require === 'string' ? require.replace('none', '') : JSON.stringify(require),
  );
  for (const [name, limit] of Object.entries(limits)) {
    say(`limits.${name}`, limit === 0 ? undefined : String(limit));
  }
  say('locked', spec.locked ? 'true' : undefined);
  const days = spec.retention / (24 * 60 * 60 * 1000);
  say('retention', spec.deletionPolicy === 'Delete' ? `${String(days)} days` : undefined);
}

function passwordLine(password: PasswordSource): [text: string, hidden?: string] {
  switch (password.from) {
    case 'generated':
      return [`generated, ${String(password.length)} characters, in the secret ${password.secret}`];
    case 'hash':
      return ['[secret], as a hash', digestOf(password.hash)];
    case 'file': {
      const { secret } = password;
      const beside = secret === undefined ? '' : `, in the secret ${secret}`;
      return [`[secret], from a file${beside}`, digestOf(password.password)];
    }
  }
}

/** What is granted on, as statements have it but for quotes. */
function levelOf({ database, table, routine, pattern }: Privilege): string {
  const what = routine === undefined ? table : `${routine.type} ${routine.name}`;
  return `${database}${pattern ? ' (pattern)' : ''}.${what}`;
}

function wordsOf({ privileges, columns, grantOption }: Privilege): string {
  const words = privileges.map((word) => word.toUpperCase()).toSorted();
  const of = columns === undefined ? '' : ` (${columns.toSorted().join(', ')})`;
  return `${words.join(', ')}${of}${grantOption ? ' with grant option' : ''}`;
}
