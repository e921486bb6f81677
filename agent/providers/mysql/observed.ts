import type { Id, Rendered } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { Accounts } from './account.ts';
import type { Apart } from './apart.ts';
import type { AuthString } from './hash.ts';
import type { Server } from './server.ts';
import type { UserSpec } from './spec.ts';
import type { Step } from './step.ts';
import type { AccountName } from './sql.ts';

/** What is known by one look of a server that the agent's settings name. */
export type ServerSight =
  | {
      readonly status: 'seen';
      readonly seen: ServerSeen;
      /** What time it is on the server, where anything left the repository. Seconds since 1970. */
      readonly nowS?: number;
    }
  /** No host of it takes writes now, or none answers. Nobody's failure: it may come back by itself. */
  | { readonly status: 'away'; readonly why: string }
  /** It answers, and only a person helps: it is too old, or the agent may not read what it has to. */
  | { readonly status: 'unusable'; readonly why: string };

/** All that one bulk read of a server gives. */
export interface ServerSeen {
  /** The host that is written to: `db1:3306`. */
  readonly host: string;
  readonly server: Server;
  readonly accounts: Accounts;
  /** By their names as the server keeps them. */
  readonly databases: ReadonlyMap<string, ObservedDatabase>;
  /** The collation that a character set has where none is named. */
  readonly collations: ReadonlyMap<string, string>;
  /** What the agent's own schema says is ours. */
  readonly owned: ReadonlyMap<Id, Owned>;
  /** What it says is another one's who shares the server, and whose. Absent: nothing. */
  readonly foreign?: ReadonlyMap<Id, string>;
  /** By whose name the agent writes there; absent: it is alone on its servers. */
  readonly owner?: string;
  /** How large databases are that just left the repository. Bytes; one whose size is not known is not in it. */
  readonly bytes?: ReadonlyMap<Id, number>;
  /** Patterns of the databases that the settings let the agent touch; absent, or none: all. */
  readonly scope?: readonly string[];
  /** Accounts of ours that another node of the same cluster keeps otherwise; absent: none is known. */
  readonly apart?: readonly Apart[];
  /** As whom the agent is logged in: an account that it never touches. */
  readonly self: AccountName;
  /** Whether a connection can be encrypted. */
  readonly hasTls: boolean;
}

export interface ObservedDatabase {
  readonly characterSet: string;
  readonly collation: string;
}

/** One line of the ledger: a database, role or account that the agent made or took over. */
export interface Owned {
  /** Hex digest of what was asked for when it was written last. */
  readonly digest: string;
  /** When it left the repository, by the server's clock, ISO 8601; absent: it is in it. */
  readonly leftAt?: string;
  /** The same in seconds since 1970. */
  readonly leftAtS?: number;
  /** So long after it left it goes; absent: it stays. Seconds. */
  readonly retentionS?: number;
  /** Whose it is; absent: whoever names it in a document. */
  readonly owner?: string;
}

/** One operation on a server, as data. */
export type MysqlCall = StatementsCall | PasswordCall;

export interface StatementsCall {
  readonly op: 'statements';
  /** As the agent's settings name it; absent: the only one that they name. */
  readonly server?: string;
  /** In this order, ending with the first that does not go well. Each may be carried out again. */
  readonly statements: readonly Step[];
}

/** Another password is made, or taken as it is written, put into a secret of the Swarm, and given to the server. */
export interface PasswordCall {
  readonly op: 'password';
  readonly server?: string;
  readonly unit: Rendered<UserSpec>;
  /** What the server had when this was decided. */
  readonly seen: ServerSeen;
  /** It is written, and this is what the server keeps of it. Absent: it is made. */
  readonly given?: {
    readonly password: Secret;
    readonly fresh: AuthString;
    readonly keepEarlier: boolean;
  };
}
