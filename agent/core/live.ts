/** What went wrong with one task, as the engine says it. */
export interface TaskError {
  /** ISO 8601. */
  readonly at: string;
  /** Of the task: `failed`, `rejected`, `pending`. */
  readonly state: string;
  readonly error: string;
  /** What that means, where its own words do not say. */
  readonly means?: string;
  /** Host name; absent: the task has no node. */
  readonly node?: string;
}

/** One service of a unit. */
export interface LiveService {
  /** As the Compose file has it. */
  readonly name: string;
  /** Tasks of what the engine holds of it; of a job those that completed. */
  readonly running: number;
  readonly wanted: number;
  /** What its tasks wait for that do not run yet; absent: none of them does. */
  readonly waits?: string;
  /** Newest first, a few. */
  readonly errors: readonly TaskError[];
}

/** What runs of a unit now, by one reading of the lists. For people: nothing is decided by it. */
export interface Live {
  /** Whether all of its release runs and nothing else of it; undefined: that cannot be told. */
  readonly converged: boolean | undefined;
  /** One line: `web 2/3`. */
  readonly summary: string;
  readonly services: readonly LiveService[];
}
