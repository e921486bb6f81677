import type { Id } from '../core/kind.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';

/** What of the repository says what is to be looked at. */
export interface Wanted {
  readonly units: readonly { readonly id: Id }[];
  readonly settings: RepositorySettings;
}

/** How two looks at one world compare. */
export interface Comparison<Observed> {
  /**
   * Pure. Whether a later look shows nothing that an earlier one did not, whatever is decided from it. Labels of the head do
   * not count: the record says what they mean. False where that is not plain.
   */
  isSame(before: Observed, now: Observed): boolean;
}
