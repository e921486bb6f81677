import type { PurgeTarget } from '../core/purge.ts';
import type { Id } from '../core/kind.ts';
import type { Secret } from '../core/secret.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Output } from './printer.ts';
import type { SightDesk } from './sight-ports.ts';

/** A person at a terminal. Undefined: he ended it. Rejects with the signal's reason. */
export interface Terminal {
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** What is typed is not shown. */
  askSecret(question: string, signal: AbortSignal): Promise<Secret | undefined>;
}

/** Where something is to be looked for. */
export interface PurgeWhere {
  /** The agent's settings file. */
  readonly settings: string;
  /** As the settings name it; absent: the only one, or the one in the id. */
  readonly server?: string;
  /** The same of a cluster. */
  readonly cluster?: string;
}

/** `wrong`: it was asked for in a way that names nothing. */
export type PurgeFound =
  | { readonly status: 'found'; readonly target: PurgeTarget }
  | { readonly status: 'wrong' | 'failed'; readonly why: string };

/** A kind of things that hold data: how one is found by its id. */
export interface PurgeKind {
  find(id: Id, where: PurgeWhere): Promise<PurgeFound>;
}

/** What the command takes from the process and the machine. */
export interface PurgeIo extends Output {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absent: nobody can be asked. */
  readonly terminal?: Terminal;
  /** By the first part of an id. */
  readonly kinds: ReadonlyMap<string, PurgeKind>;
  openSight(socket: string): SightDesk;
  readPassword(path: string): Promise<Secret | { readonly why: string }>;
}
