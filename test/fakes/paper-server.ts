import type { CallOutcome, Id } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { accountKey } from '../../agent/providers/mysql/account.ts';
import { type AuthString, CACHING, compared } from '../../agent/providers/mysql/hash.ts';
import type { ServerSight, StatementsCall } from '../../agent/providers/mysql/observed.ts';
import type { Servers } from '../../agent/providers/mysql/servers.ts';
import { live, NONE } from '../providers/mysql/live.ts';
import { mysql97 } from '../providers/mysql/servers.ts';

/** What a server of MySQL does about the passwords of accounts that may do nothing, read from the statements that it gets. */
export class PaperServer implements Pick<Servers, 'observe' | 'call'> {
  away = false;
  readonly #accounts = new Map<string, { first: AuthString; retained?: AuthString }>();
  readonly #ledger = new Map<Id, string>();

  async observe(names: readonly string[]): Promise<ReadonlyMap<string, ServerSight>> {
    const away = { status: 'away', why: 'no host answers' } as const;
    const sight = this.away ? away : this.#seen();
    return Promise.resolve(new Map(names.map((name) => [name, sight])));
  }

  async call({ statements }: StatementsCall): Promise<CallOutcome<{ readonly id: string }>> {
    if (this.away) return Promise.resolve({ status: 'unknown', why: 'no host answers' });
    for (const step of statements) if ('text' in step) this.#take(step.text.reveal());
    return Promise.resolve({ status: 'ok', value: { id: 'server' } });
  }

  opens(password: string, user: string): boolean {
    const { first, retained } = this.#accounts.get(user) ?? {};
    const secret = new Secret(password);
    return [first, retained].some((auth) => auth && compared(auth, secret) === 'same');
  }

  #take(text: string): void {
    const [, id, digest] =
      /^INSERT INTO `understudy`.*VALUES \('([^']*)', '([^']*)'/.exec(text) ?? [];
    if (id !== undefined && digest !== undefined)
      this.#ledger.set(`mysql-user/${id.slice(11)}`, digest);
    const [, user = ''] = /^(?:CREATE|ALTER) USER .*?'([^']+)'@/.exec(text) ?? [];
    const before = this.#accounts.get(user)?.first;
    if (text.includes('DISCARD OLD PASSWORD') && before)
      this.#accounts.set(user, { first: before });
    const [, hex] = / AS 0x([0-9A-F]+)/.exec(text) ?? [];
    if (hex === undefined) return;
    const stored = new Secret(Buffer.from(hex, 'hex').toString('latin1'));
    const isKept = text.includes('RETAIN CURRENT PASSWORD') && before !== undefined;
    this.#accounts.set(user, {
      first: { plugin: CACHING, stored },
      ...(isKept && { retained: before }),
    });
  }

  #seen(): ServerSight {
    const accounts = [...this.#accounts].map(([user, { first, retained }]) => {
      const login = {
        password: { fresh: first, keepEarlier: false },
        defaultRoles: [],
        require: 'none',
        limits: NONE,
        locked: false,
      } as const;
      const wanted = { user, host: '%', grants: new Map(), roles: [], login };
      return live(mysql97, wanted, retained && { retained });
    });
    return {
      status: 'seen',
      seen: {
        host: 'db1:3306',
        server: mysql97,
        accounts: new Map(accounts.map((one) => [accountKey(one), one])),
        databases: new Map(),
        collations: new Map(),
        owned: new Map([...this.#ledger].map(([id, digest]) => [id, { digest }])),
        self: { user: 'understudy', host: '%' },
        hasTls: true,
      },
    };
  }
}
