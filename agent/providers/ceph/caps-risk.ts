import { grantsIn } from './grants.ts';

/** What of a client's caps amounts to everything. */
export interface CapsRisk {
  /** As it was written, but for blanks. */
  readonly words: string;
  /** What it lets whoever has the key do. */
  readonly why: string;
}

const ALL = /^allow (?:\*|all)(?= |$)/;
/** At a monitor these reach its keys as well, whatever network or file system follows. */
const ALL_LETTERS = /^allow rwx(?= |$)/;
const READS_ALL = /^allow rx(?= |$)/;

const AUTH = String.raw`^allow service[ =]["']?auth["']? `;
const WRITES_KEYS = new RegExp(String.raw`${AUTH}(?:rwx|\*|all)(?= |$)`);
const READS_KEYS = new RegExp(String.raw`${AUTH}rx(?= |$)`);
const AUTH_COMMAND = /^allow command[ =]["']auth ([a-z_-]+)["'](?: with (.*))?$/;
/** Gives rights away; and what a manager daemon may. */
const PROFILE = /^(?:allow )?profile[ =]["']?(?:role-definer|mgr)["']?(?= |$)/;

const MAKE = new Set(['add', 'caps', 'get-or-create', 'get-or-create-key', 'import']);
const READ = new Set(['export', 'get', 'get-key', 'list', 'ls', 'print-key', 'print_key']);

const ADMIN = 'give itself all rights: it may write keys';
const READER = 'be anybody: it may read the keys of all, also of `client.admin`';

/** Pure. The first that lets a key do everything at a service, or become one that may. Tried with Ceph 16.2.15. */
export function capsRisk(service: string, caps: string): CapsRisk | undefined {
  for (const words of grantsIn(caps)) {
    const why = service === 'mon' ? monitorRisk(words) : otherRisk(service, words);
    if (why !== undefined) return { words, why };
  }
  return undefined;
}

function otherRisk(service: string, words: string): string | undefined {
  // What follows the letters says where: a pool, a tag, a path.
  const isAll = ALL.test(words) || words === 'allow rwx';
  return isAll ? `do everything at \`${service}\`` : undefined;
}

function monitorRisk(words: string): string | undefined {
  if (ALL.test(words) || ALL_LETTERS.test(words)) return 'do everything at `mon`';
  if (WRITES_KEYS.test(words) || PROFILE.test(words)) return ADMIN;
  if (READS_ALL.test(words) || READS_KEYS.test(words)) return READER;
  const [, command, limits = ''] = AUTH_COMMAND.exec(words) ?? [];
  return command === undefined ? undefined : commandRisk(command, limits);
}

function commandRisk(command: string, limits: string): string | undefined {
  // Limits of names leave caps open, and those of caps are passed by who names a service twice.
  if (MAKE.has(command)) return ADMIN;
  return READ.has(command) && !/(?:^| )entity\b/.test(limits) ? READER : undefined;
}
