import { join } from 'node:path';
import { StageError } from '../run.ts';
import { everything, type Grant, grantStatement } from './least.ts';
import type { Programs } from './programs.ts';

/** Where a server listens and keeps its things. */
export interface Place {
  /** Absolute. Holds the data directory, the socket and the log; of mode 0700. */
  readonly folder: string;
  readonly address: string;
  readonly port: number;
}

/** The one account that comes in over the network. */
export interface Account {
  readonly user: string;
  readonly password: string;
  /** What it may do. Absent: everything. */
  readonly grants?: readonly Grant[];
}

/** What MariaDB's own set-up feeds to an empty server, in this order. */
export const bootstrapOrder = [
  'mysql_system_tables.sql',
  'mysql_performance_tables.sql',
  'mysql_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
  'mysql_sys_schema.sql',
] as const;

/** Pure. Options for the one run that makes a data directory. */
export function initializeOptions(programs: Programs, log: string): readonly string[] {
  const run =
    programs.flavor === 'mysql'
      ? ['--initialize-insecure']
      : ['--bootstrap', '--max-allowed-packet=8M', '--net-buffer-length=16K'];
  return [
    ...commonOptions(programs),
    `--datadir=${programs.data}`,
    ...run,
    '--skip-log-bin',
    `--log-error=${log}`,
  ];
}

/** Pure. Options to run a server in its place. `more` comes last, so it wins. */
export function serverOptions(
  programs: Programs,
  { folder, address, port }: Place,
  more: readonly string[],
): readonly string[] {
  const own =
    programs.flavor === 'mysql'
      ? ['--plugin-load-add=auth_socket.so', '--mysqlx=OFF', '--performance-schema-error-size=10']
      : ['--performance-schema=OFF'];
  return [
    ...commonOptions(programs),
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--init-file=${join(folder, 'init.sql')}`,
    `--bind-address=${address}`,
    `--port=${port}`,
    // So `localhost` in an account means the socket, and no name server is asked.
    '--skip-name-resolve',
    '--max-connections=60',
    '--table-open-cache=200',
    ...own,
    ...more,
  ];
}

/** Small, and quick where a crash of the machine may cost the data. */
function commonOptions({ flavor, base }: Programs): readonly string[] {
  const share = join(base, 'share/mysql');
  return [
    // Not one file of the machine is read.
    '--no-defaults',
    '--user=root',
    `--basedir=${base}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    `--plugin-dir=${join(base, 'lib/mysql/plugin')}`,
    // Empty: the folder that is built in exists on no machine without the package.
    '--secure-file-priv=',
    '--innodb-flush-log-at-trx-commit=0',
    '--sync-binlog=0',
    '--key-buffer-size=1M',
    ...(flavor === 'mysql'
      ? [
          '--innodb-flush-method=nosync',
          '--innodb-doublewrite=OFF',
          '--innodb-buffer-pool-size=24M',
          '--innodb-redo-log-capacity=32M',
        ]
      : [
          '--innodb-doublewrite=0',
          '--innodb-buffer-pool-size=16M',
          '--innodb-log-file-size=8M',
          '--innodb-data-file-path=ibdata1:10M:autoextend',
        ]),
  ];
}

/**
 * Pure. What a server runs before it lets anybody in: one statement a line. No statement of it reaches a binlog, where
 * MariaDB would keep the password as it is. Throws `StageError` where a word could be more than a word.
 */
export function accountStatements(flavor: Programs['flavor'], wanted: Account): string {
  const { user, password, grants = [everything] } = wanted;
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(user)) {
    throw new StageError('the account may have small letters, digits and `_`, 32 at most');
  }
  if (!/^[A-Za-z0-9]{8,64}$/.test(password)) {
    throw new StageError('the password must be 8 to 64 letters and digits');
  }
  const account = `'${user}'@'%'`;
  const lines = [
    'SET SESSION sql_log_bin=0;',
    // MariaDB's data directory has that already.
    ...(flavor === 'mysql' ? ['ALTER USER root@localhost IDENTIFIED WITH auth_socket;'] : []),
    `CREATE USER IF NOT EXISTS ${account};`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    ...grants.map((grant) => `${grantStatement(grant, account)};`),
  ];
  return `${lines.join('\n')}\n`;
}
