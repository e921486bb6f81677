import type { Claim } from './claim.ts';
import type { EndSessions } from './sessions.ts';
import type { Sql } from './sql.ts';

/** What is carried out one after the other: statements, and what takes more than one. */
export type Step = Sql | Claim | EndSessions;
