import type { MySQLDatabase, MySQLRole, MySQLUser } from '../../../schemas/mysql.ts';
import type { Secret } from '../../core/secret.ts';

/** What a document about a server says beside what every unit has. */
type Own<Document> = Omit<Document, 'dependsOn' | 'suspend' | 'server'> & {
  /** As the agent's settings name it; absent: the only one that they name. */
  readonly server?: string;
};

/** A database as it is to be. */
export type DatabaseSpec = Own<MySQLDatabase>;

/** A role as it is to be. */
export type RoleSpec = Own<MySQLRole>;

/** Where an account's password comes from, with what stood in another file. */
export type PasswordSource =
  | Exclude<MySQLUser['password'], { from: 'file' }>
  | {
      readonly from: 'file';
      readonly password: Secret;
      /** The Swarm secret that stacks find it in. */
      readonly secret?: string;
    };

/** An account as it is to be, once for each of its hosts. Durations in milliseconds. */
export type UserSpec = Omit<Own<MySQLUser>, 'password'> & { readonly password: PasswordSource };

/** A unit of a server of MySQL or MariaDB. */
export type MysqlSpec = DatabaseSpec | RoleSpec | UserSpec;
