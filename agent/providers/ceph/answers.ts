import type { CephClusterSettings } from '../../../schemas/settings.ts';
import type { CallOutcome } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { Ending } from './ports.ts';
import type { Daemon, NotBegun } from './protocol.ts';

/** An outcome that is not `ok`. */
export type NotOk = Exclude<CallOutcome<never>, { readonly status: 'ok' }>;

/** The same with what decides what is asked next. */
export type Failed = NotOk & {
  /** By which Ceph refused it; above zero. Absent: Ceph did not answer. */
  readonly errno?: number;
  /** Waiting does not help: something of this machine or its settings is wrong. */
  readonly needsPerson?: true;
};

/** What became of one command. What Ceph answered may hold keys: it is printed nowhere. */
export type Answer = { readonly status: 'ok'; readonly value: Secret } | Failed;

const EPERM = 1;
const ENOENT = 2;
const EIO = 5;
const EACCES = 13;
const EOPNOTSUPP = 95;
const ETIMEDOUT = 110;

interface Rule {
  readonly why: string;
  readonly retry: 'after-replan' | 'never';
  readonly unreachable?: true;
}

/** Texts differ from release to release, the numbers do not. */
const rules: Readonly<Record<number, Rule>> = {
  [EPERM]: { why: 'a guard of Ceph is in the way', retry: 'never' },
  [ENOENT]: { why: 'something that it needs is not there', retry: 'after-replan' },
  [EIO]: { why: 'Ceph could not carry it out', retry: 'after-replan' },
  11: { why: 'Ceph is busy', retry: 'after-replan', unreachable: true },
  [EACCES]: { why: 'the key lacks caps for it', retry: 'never' },
  16: { why: 'it is in use', retry: 'after-replan' },
  17: { why: 'it exists already', retry: 'after-replan' },
  22: { why: 'Ceph does not take it', retry: 'never' },
  28: { why: 'there is no room for it', retry: 'after-replan' },
  34: { why: 'a number is out of range', retry: 'never' },
  39: { why: 'it is not empty', retry: 'after-replan' },
  [EOPNOTSUPP]: { why: 'Ceph does not do that', retry: 'never' },
  [ETIMEDOUT]: {
    why: 'Ceph did not get it done in time',
    retry: 'after-replan',
    unreachable: true,
  },
  107: { why: 'it has no connection', retry: 'after-replan', unreachable: true },
  // Also to one that the cluster shut out, as it does with a manager daemon that was replaced.
  108: { why: 'its connection was shut down', retry: 'after-replan', unreachable: true },
  112: { why: 'a host is down', retry: 'after-replan', unreachable: true },
};

/** Pure. A command that Ceph refused, in our words and then in its own. `errno`: above zero. */
export function refusedBy(to: Daemon, errno: number, text: string): Failed {
  if (to === 'mgr' && errno === EOPNOTSUPP) {
    const why = 'the manager daemon of Ceph does not take commands yet';
    return { ...unreachable(why), errno };
  }
  const rule = rules[errno] ?? { why: 'Ceph refused it', retry: 'never' };
  const said = shortened(text);
  const why = `${rule.why} (errno ${errno})${said === '' ? '' : `: ${said}`}`;
  const cause = rule.unreachable === true ? { cause: 'unreachable' as const } : {};
  return { status: 'refused', why, retry: rule.retry, ...cause, errno };
}

/** Pure. Whether a manager daemon says that it has only just begun. */
export function isStarting(to: Daemon, errno: number): boolean {
  return to === 'mgr' && errno === EOPNOTSUPP;
}

/** Pure. Whether what was asked for, or what it is in, is not there. */
export function isAbsent({ errno }: Failed): boolean {
  return errno === ENOENT;
}

/** Pure. Whether nothing helps but other caps. */
export function lacksCaps({ errno }: Failed): boolean {
  return errno === EACCES;
}

/** Pure. Nothing was sent, and no commit is at fault. */
export function unreachable(why: string): Failed {
  return { status: 'refused', why, retry: 'after-replan', cause: 'unreachable' };
}

/** Pure. This agent may not write, or not any more: nothing was sent. */
export function heldBack(why: string): Failed {
  return { status: 'refused', why, retry: 'after-replan', cause: 'held-back' };
}

/** What of a cluster's settings its bridge needs. */
export type Way = Omit<CephClusterSettings, 'clientPattern'>;

/** Pure. The bridge did not come as far as to take commands. Seconds: what monitors were given. */
export function notBegun({ failed, code }: NotBegun, way: Way, connectS: number): Failed {
  const { confFile, keyringFile, client, python } = way;
  switch (failed) {
    case 'module':
      return person(
        `\`${python}\` has no module \`rados\`: install python3-rados, or name another Python in the settings`,
      );
    case 'conf':
      return person(`the configuration of Ceph, \`${confFile}\`, ${fileTrouble(code)}`);
    case 'keyring':
      return person(`the keyring of Ceph, \`${keyringFile}\`, ${fileTrouble(code)}`);
    case 'connect':
      if (code === EACCES || code === EPERM) {
        return person(
          `the monitors of Ceph do not let \`${client}\` in: the key in \`${keyringFile}\` is not the one that they know (errno ${code})`,
        );
      }
      if (code === ENOENT) {
        return person(`the configuration of Ceph, \`${confFile}\`, names no monitor that is found`);
      }
      if (code === ETIMEDOUT) {
        return unreachable(
          `no monitor of Ceph let us in within ${connectS} s: they are not reached, or they have no quorum`,
        );
      }
      if (code === EIO) {
        return person(
          `the key of \`${client}\` in \`${keyringFile}\` cannot be used (errno ${code})`,
        );
      }
      return unreachable(`the monitors of Ceph are not reached (errno ${code})`);
  }
}

function fileTrouble(code: number): string {
  if (code === ENOENT) return 'is not there';
  if (code === EACCES || code === EPERM) return 'may not be read';
  return `cannot be understood (errno ${code})`;
}

function person(why: string): Failed {
  return { ...unreachable(why), needsPerson: true };
}

/** Pure. The bridge ended before it had begun. */
export function endedEarly(ending: Ending, { python }: Way): Failed {
  if (ending.how === 'not-started') {
    const why = `\`${python}\` cannot be started (${ending.code}): the settings name the Python that speaks to Ceph`;
    return person(why);
  }
  return unreachable(`what speaks to Ceph ended before it began (${endingText(ending)})`);
}

/** Pure. For people. */
export function endingText(ending: Ending): string {
  switch (ending.how) {
    case 'not-started':
      return ending.code;
    case 'exit':
      return `code ${ending.code}`;
    case 'signal':
      return ending.name;
  }
}

const TEXT_MAX = 200;
/** A key in base64: it begins with its kind, 1 for AES with 16 bytes and 2 for AES with 32. */
const KEY = /A[QgAw][A-Za-z0-9+/]{14,}={0,2}/g;

/**
 * Pure. What Ceph says of a refusal as one short line: the last one of a traceback, or else the first. Whatever could be a key is
 * left out.
 */
export function shortened(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const chosen = lines.some((line) => line.startsWith('Traceback')) ? lines.at(-1) : lines[0];
  const plain = (chosen ?? '')
    .replaceAll(KEY, '[secret]')
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return plain.length > TEXT_MAX ? `${plain.slice(0, TEXT_MAX).toWellFormed()}...` : plain;
}
