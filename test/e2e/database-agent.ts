import { systemClock } from '../../agent/clock.ts';
import { openServers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlServerSettings } from '../../schemas/settings.ts';
import { mysql, render } from '../providers/mysql/rendering.ts';
import { DocumentAgent } from './document-agent.ts';

/** The agent on real servers. */
export class DatabaseAgent extends DocumentAgent {
  /** `after`: another process of the same agent, which finds what that one left in the Swarm. */
  constructor(settings: MysqlServerSettings, after?: DatabaseAgent) {
    const guard = { refusal: () => undefined };
    const ports = { clock: systemClock, guard, term: () => 1, holder: 'one' };
    super({ servers: openServers({ main: settings }, ports) }, after);
  }

  /** What the repository has from now on: these documents. Throws where there is a mistake in them. */
  async commit(revision: string, text: string): Promise<void> {
    const { units, diagnostics } = render(mysql(text));
    const documents = units.filter(({ id }) => id.startsWith('mysql-'));
    await this.have(revision, { units: documents, diagnostics });
  }
}
