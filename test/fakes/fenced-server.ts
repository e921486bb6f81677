import type { Answer, Connection } from '../../agent/providers/mysql/connect.ts';
import type { FenceRow } from '../../agent/providers/mysql/fence-row.ts';

const DONE: Answer = { status: 'ok', value: [] };
const refused = (number: number): Answer => ({
  status: 'refused',
  why: `error ${number}`,
  retry: 'after-replan',
  number,
});

/**
 * What a server does with the statements of the fence: each at once when it arrives, in one session after the other, and nothing of
 * a session that was ended. Any other statement is work and is noted.
 */
export class FencedServer {
  readonly works: string[] = [];
  readonly #alive = new Set<number>();
  #last = 0;
  #hasTables = false;
  #row: FenceRow | undefined;
  #lockedBy: number | undefined;

  /** A session; `travel` is the way of each statement, and of each answer. */
  connect(travel: () => Promise<void>): Connection {
    this.#last += 1;
    const own = this.#last;
    this.#alive.add(own);
    return {
      isClosed: () => !this.#alive.has(own),
      close: () => this.#end(own),
      query: async ({ text }) => {
        await travel();
        const lost: Answer = { status: 'unknown', why: 'lost', cause: 'unreachable' };
        const answer = this.#alive.has(own) ? this.#answer(own, text.reveal()) : lost;
        await travel();
        return this.#alive.has(own) ? answer : lost;
      },
    };
  }

  #end(connection: number): void {
    this.#alive.delete(connection);
    if (this.#lockedBy === connection) this.#lockedBy = undefined;
  }

  #answer(own: number, text: string): Answer {
    if (/^CREATE \w+ IF NOT EXISTS `understudy`/.test(text)) {
      this.#hasTables ||= text.includes('`fences`');
      return DONE;
    }
    if (text.includes('`fences`') && !this.#hasTables) return refused(1146);
    if (text.startsWith('SELECT CONNECTION_ID()')) return this.#shown(own);
    if (text.startsWith('INSERT INTO `understudy`.`fences`')) {
      this.#row ??= { term: 0, holder: '', connection: 0, server: '' };
      return DONE;
    }
    if (text.startsWith('UPDATE `understudy`.`fences`')) {
      this.#update(own, text);
      return DONE;
    }
    if (text.startsWith('SELECT GET_LOCK')) {
      this.#lockedBy ??= own;
      return DONE;
    }
    const [, killed] = /^KILL (\d+)$/.exec(text) ?? [];
    if (killed === undefined) this.works.push(text);
    else if (!this.#alive.has(Number(killed))) return refused(1094);
    else this.#end(Number(killed));
    return DONE;
  }

  #shown(own: number): Answer {
    const { term = null, holder = null, server = null, connection = null } = this.#row ?? {};
    const line = { own, here: 'db', locked_by: this.#lockedBy ?? null };
    const row = { ...line, term, holder, there: server, session_id: connection };
    return { status: 'ok', value: [row] };
  }

  #update(own: number, text: string): void {
    const [set = '', where = ''] = text.split(' WHERE ');
    const conditions = [
      ['term', this.#row?.term],
      ['holder', this.#row?.holder],
      ['connection', this.#row?.connection],
    ] as const;
    const differs = conditions.some(([name, value]) => {
      const [, asked] = new RegExp(`\\b${name} = '?(\\w*)`).exec(where) ?? [];
      return asked !== undefined && asked !== String(value);
    });
    if (differs) return;
    const [, term, holder = ''] = /term = (\d+), holder = '(\w*)'/.exec(set) ?? [];
    this.#row = { term: Number(term), holder, server: 'db', connection: own };
  }
}
