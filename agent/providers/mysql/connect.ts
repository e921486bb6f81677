import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

import type { Connection as Library, ConnectionOptions } from 'mysql2';

import type { CallOutcome } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Failed, failureOf, LATE, type NotOk, notConnected, troubleIn } from './answers.ts';
import { session } from './server.ts';

/** Where a server is, and as whom we come. */
export interface Login {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  /** Absent: in plain text. The password is not, but whoever answers gets what is asked. */
  readonly tls?: {
    /** Certificates in PEM of those that are trusted; nobody else is. */
    readonly ca: string;
    /** Whether the certificate must bear the name of the host. Those that MySQL makes for itself bear none. */
    readonly verifyName: boolean;
  };
}

/** Text for the server. It may hold a password: it is printed nowhere. */
export interface Statement {
  readonly text: Secret;
}

/** By column. Whole numbers beyond 2^53, decimals, dates and JSON come as text. */
export type Row = Readonly<Record<string, unknown>>;

/** What became of one statement. */
export type Answer = { readonly status: 'ok'; readonly value: readonly Row[] } | Failed;

/** One session on one server, for one statement after the other. */
export interface Connection {
  /** True after an error that ended it, and after a statement of which no answer came in time. */
  isClosed(): boolean;
  /**
   * Sends one statement. `unknown`: it may be carried out still, also later; the connection is closed then. Rejects with the
   * signal's reason if that was aborted before. Milliseconds.
   */
  query(statement: Statement, deadlineMs: number, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** Opens a session. Never `unknown`: nothing was asked before. Milliseconds, for all of it. */
export async function openConnection(
  login: Login,
  { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<CallOutcome<Connection>> {
  signal.throwIfAborted();
  const mistake = mistakeIn(login);
  if (mistake !== undefined) return { status: 'refused', why: mistake, retry: 'never' };
  const end = clock.nowMs() + deadlineMs;
  // Only where there is a server to reach: it takes memory and time to load.
  const { createConnection } = await import('mysql2');
  const library = createConnection(optionsFor(login, deadlineMs));
  const open = (done: Done): void => {
    library.connect((error) => {
      if (error === null) done({ status: 'ok', value: [] });
      else done(notConnected(troubleIn(error)));
    });
  };
  const talk = talkOver(library, clock);
  const left = (): number => Math.max(1, end - clock.nowMs());
  const opened = await within(open, { clock, deadlineMs: left(), signal });
  if (opened.status !== 'ok') return given(library, opened);
  for (const statement of session) {
    const set = await talk.send(statement, left(), signal);
    if (set.status !== 'ok') return given(library, set);
  }
  const { isClosed, send, close } = talk;
  const query: Connection['query'] = async (statement, queryMs, querySignal) => {
    querySignal.throwIfAborted();
    return await send(statement, queryMs, querySignal);
  };
  return { status: 'ok', value: { isClosed, query, close } };
}

/** Pure. What can never work with these settings, in words. */
function mistakeIn({ host, tls }: Login): string | undefined {
  if (tls === undefined) return undefined;
  // What cannot be read is left out without a word, and then nobody is trusted.
  if (!isCertificates(tls.ca)) return 'the trusted certificates cannot be read: PEM is wanted';
  // The library would compare with another name.
  if (!tls.verifyName || isIP(host) === 0) return undefined;
  return 'the host is an address: its certificate can be compared with a name only';
}

function isCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

/** Pure. Exported for a test. */
export function optionsFor(
  { host, port, user, password, tls }: Login,
  deadlineMs: number,
): ConnectionOptions {
  return {
    host,
    port,
    user,
    password: password.reveal(),
    connectTimeout: deadlineMs,
    charset: 'utf8mb4',
    // One call is one statement, whatever is in it; and no server gets a file of ours.
    multipleStatements: false,
    flags: ['-LOCAL_FILES', '-IGNORE_SPACE'],
    // What a number of JavaScript cannot hold, such as the privileges of MariaDB as one number.
    supportBigNumbers: true,
    jsonStrings: true,
    dateStrings: true,
    // No code is made of what a server answers.
    disableEval: true,
    ...(tls !== undefined && {
      ssl: { ca: tls.ca, rejectUnauthorized: true, verifyIdentity: tls.verifyName },
    }),
  };
}

type Done = (answer: Answer) => void;

/** As a connection; an aborted signal is an outcome here. */
interface Talk extends Omit<Connection, 'query'> {
  readonly send: Connection['query'];
}

function talkOver(library: Library, clock: Clock): Talk {
  let closed = false;
  let busy = false;
  // Without a listener an idle connection that breaks would end the process.
  library.on('error', () => {
    closed = true;
  });
  return {
    isClosed: () => closed,
    send: async ({ text }, deadlineMs, signal) => {
      if (signal.aborted) return unsent('stopped before it was sent');
      const notSent = closed ? 'the connection is closed' : busy && 'a statement is under way';
      if (notSent !== false) return unsent(notSent);
      busy = true;
      const begin = (done: Done): void => {
        library.query({ sql: text.reveal() }, (error, rows) => {
          if (error !== null) done(failureOf(troubleIn(error)));
          else done({ status: 'ok', value: rowsIn(rows) });
        });
      };
      const outcome = await within(begin, { clock, deadlineMs, signal });
      busy = false;
      if (outcome.status === 'unknown') {
        // What comes now would be taken for the answer to the next one.
        closed = true;
        library.destroy();
      }
      return outcome;
    },
    close: () => {
      if (closed) return;
      closed = true;
      const cancel = clock.after(1_000, () => library.destroy());
      library.end(() => cancel());
    },
  };
}

function unsent(why: string): NotOk {
  return { status: 'refused', why, retry: 'after-replan', cause: 'unreachable' };
}

/** Whatever comes first: the answer, the end of the time, or that nobody wants it any more. */
async function within(
  begin: (done: Done) => void,
  limits: { readonly clock: Clock; readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<Answer> {
  const { clock, deadlineMs, signal } = limits;
  return await new Promise((resolve) => {
    const settle = (outcome: Answer): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onAbort = (): void =>
      settle({ status: 'unknown', why: 'stopped while waiting for the answer' });
    const cancel = clock.after(deadlineMs, () =>
      settle({ status: 'unknown', why: LATE, cause: 'unreachable' }),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    begin(settle);
  });
}

/** Nothing came of it, so nothing of it stays. */
function given(library: Library, { why }: NotOk): NotOk {
  library.destroy();
  return unsent(why);
}

function rowsIn(rows: unknown): readonly Row[] {
  return Array.isArray(rows) ? rows.filter(isRow) : [];
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
