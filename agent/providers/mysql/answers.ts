import type { CallCause, CallOutcome } from '../../core/kind.ts';

/** What of a failed statement may be looked at. The library's errors also hold the statement, and so passwords. */
export interface Trouble {
  /** The server's number. Absent: it gave no answer. */
  readonly number?: number;
  /** Five characters of the standard. Absent where the server gave no answer. */
  readonly state?: string;
  /** The name of a number, or the operating system's of what failed, as in `ECONNRESET`. */
  readonly code?: string;
  /** It says that the server only reads. */
  readonly readOnly?: true;
}

/** An outcome that is not `ok`. */
export type NotOk = Exclude<CallOutcome<never>, { readonly status: 'ok' }>;

/** The same of a statement that a server answered with an error, with its number: what is asked next depends on it. */
export type Failed = NotOk & { readonly number?: number };

/** The account lacks a privilege. */
const LACKS = [1044, 1095, 1142, 1143, 1227, 1370];
/** There is no such database, or no such table in it. */
const ABSENT = [1049, 1146];

interface Rule {
  readonly numbers: readonly number[];
  readonly why: string;
  readonly outcome: 'after-replan' | 'never' | 'unknown';
  readonly cause?: CallCause;
}

/** Both families count errors in one list up to 1999; beyond it the numbers are each its own. */
const rules: readonly Rule[] = [
  {
    numbers: [1045, 1130, 1251, 1698],
    why: 'the server does not let the account in',
    outcome: 'after-replan',
    cause: 'unreachable',
  },
  {
    numbers: [3118, 3955, 4151],
    why: 'the account is locked',
    outcome: 'after-replan',
    cause: 'unreachable',
  },
  {
    numbers: [1820, 1862],
    why: 'the password of the account has expired',
    outcome: 'after-replan',
    cause: 'unreachable',
  },
  {
    numbers: [1040, 1129, 1203, 1226],
    why: 'the server takes no more connections',
    outcome: 'after-replan',
    cause: 'unreachable',
  },
  {
    numbers: LACKS,
    why: 'the account lacks a privilege for it',
    outcome: 'never',
  },
  {
    numbers: [1047, 1792, 1836, 3100, 3101],
    why: 'the server does not write now',
    outcome: 'after-replan',
    cause: 'no-leader',
  },
  { numbers: [1213], why: 'another transaction was in the way', outcome: 'after-replan' },
  // Galera says that, too, where it loses its majority under a statement.
  { numbers: [1205], why: 'it waited too long for a lock', outcome: 'unknown' },
  {
    numbers: [1053, 1180, 1317, 1927, 3169, 4031],
    why: 'it was ended before it was done',
    outcome: 'unknown',
    cause: 'unreachable',
  },
  // There already, not there any more, or not as it was read.
  {
    numbers: [1007, 1008, 1094, 1133, 1141, 1147, 1396, 3523, 3892, 3894, 3895],
    why: 'what is there is not what was read',
    outcome: 'after-replan',
  },
  { numbers: [1470, 1819, 1827, 3982, 4006], why: 'the server does not take it', outcome: 'never' },
];

/** Names of what fails before anything is asked, where they say little to people. */
const byCode: Readonly<Record<string, string>> = {
  HANDSHAKE_NO_SSL_SUPPORT: 'the server speaks no TLS',
  HANDSHAKE_SSL_ERROR: 'nobody trusted signed the certificate of the server, or it has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server bears another name',
  AUTH_SWITCH_PLUGIN_ERROR: 'the account logs in by a way that is not known here',
};

/** Also where the library or the operating system stops waiting first: the same is told again and again in other words else. */
export const LATE = 'no answer in time';

/** Classes of states that say that the statement itself is wrong: in its values, its rights, its words. */
const WRONG = /^(?:0A|22|23|42)/;

/**
 * Pure. What became of a statement, in our own words: a server's repeat parts of the statement. Whatever nobody knows better is
 * `unknown`.
 */
export function outcomeOf(trouble: Trouble): NotOk {
  const { number, readOnly, code } = trouble;
  if (number === undefined) {
    if (code === 'ETIMEDOUT') return { status: 'unknown', why: LATE, cause: 'unreachable' };
    const why = `${byCode[code ?? ''] ?? 'the connection failed'}${nameOf(trouble)}`;
    return { status: 'unknown', why, cause: 'unreachable' };
  }
  const rule =
    number === 1290 && readOnly === true
      ? rules.find(({ numbers }) => numbers.includes(1836))
      : rules.find(({ numbers }) => numbers.includes(number));
  const wrong = WRONG.test(trouble.state ?? '') || number === 1290;
  const outcome = rule?.outcome ?? (wrong ? 'never' : 'unknown');
  const why = `${rule?.why ?? 'the server refused it'}${nameOf(trouble)}`;
  const cause = rule?.cause === undefined ? {} : { cause: rule.cause };
  return outcome === 'unknown'
    ? { status: 'unknown', why, ...cause }
    : { status: 'refused', why, retry: outcome, ...cause };
}

/** Pure. With the number of the server where it gave one. */
export function failureOf(trouble: Trouble): Failed {
  const { number } = trouble;
  return { ...outcomeOf(trouble), ...(number !== undefined && { number }) };
}

/** Pure. Whether the account may not do it: nothing changes that but a GRANT. */
export function lacksPrivilege({ number }: Failed): boolean {
  return number !== undefined && LACKS.includes(number);
}

/** Pure. Whether a table that is there lacks a column. */
export function lacksColumn({ number }: Failed): boolean {
  return number === 1054;
}

/** Pure. Whether what was asked for is not there. */
export function isAbsent({ number }: Failed): boolean {
  return number !== undefined && ABSENT.includes(number);
}

/** Pure. Of a failed attempt to connect: nothing was asked yet, so nothing was done, and no commit is at fault. */
export function notConnected(trouble: Trouble): NotOk {
  const { why } = outcomeOf(trouble);
  return { status: 'refused', why, retry: 'after-replan', cause: 'unreachable' };
}

/** Pure. What may be known of an error of the library: numbers and names, no text. */
export function troubleIn(error: unknown): Trouble {
  if (typeof error !== 'object' || error === null) return {};
  const found = (key: string): unknown => Reflect.get(error, key);
  const [number, state, code] = [found('errno'), found('sqlState'), found('code')];
  // The operating system's errors have a number as well, below zero.
  const isServers = typeof number === 'number' && number > 0 && typeof state === 'string';
  // The library puts its own code over that of Node, whose error says which name it looked for.
  if (code === 'HANDSHAKE_SSL_ERROR' && typeof found('host') === 'string') {
    return { code: 'ERR_TLS_CERT_ALTNAME_INVALID' };
  }
  const name = typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,60}$/.test(code) ? { code } : {};
  if (!isServers) return name;
  // MariaDB has the number for other options, too.
  const readOnly = /read[-_ ]only/.test(String(found('sqlMessage'))) && { readOnly: true as const };
  return { number, state, ...name, ...(number === 1290 && readOnly) };
}

function nameOf({ number, code }: Trouble): string {
  const parts = [number === undefined ? undefined : `error ${number}`, code];
  const text = parts.filter((part) => part !== undefined).join(', ');
  return text === '' ? '' : ` (${text})`;
}
