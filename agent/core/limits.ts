/**
 * What one file may ask for. A Compose file of a large stack has a few hundred entries; the limits are there for
 * files that were made to stop the agent.
 */
export interface Limits {
  /** UTF-16 units of the whole text. */
  readonly charactersMax: number;
  /** Levels of mappings and lists, also where an alias puts them. */
  readonly depthMax: number;
  /** Keys and list items, as written and again with every alias replaced by a copy. */
  readonly entriesMax: number;
  /** UTF-16 units of all keys and scalars with every alias replaced by a copy. */
  readonly expandedCharactersMax: number;
}

/** The limits of every file of the repository. */
export const defaultLimits: Limits = {
  charactersMax: 1_048_576,
  depthMax: 64,
  entriesMax: 20_000,
  expandedCharactersMax: 4_194_304,
};

/** How many diagnostics one file gives; one more says that there were others. */
export const diagnosticsMax = 100;
