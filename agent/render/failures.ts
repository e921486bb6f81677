import { type Diagnostic, placeOfFile } from '../core/diagnostic.ts';
import { SourceError } from '../reconcile/ports.ts';
import { CANNOT_GIVE_UP_ROOT } from './privileges.ts';
import type { ChildFailure } from './process.ts';

/** A renderer that never read anything: the machine is in the way, not the revision. */
export function notBegun(error: ChildFailure): SourceError {
  const { message, crash } = error;
  if (crash?.startsWith(CANNOT_GIVE_UP_ROOT) === true) {
    const advice = 'leave it the capabilities SETUID and SETGID, or start it as another user';
    const why = `the renderer does not begin, because it cannot give up root: ${advice}`;
    return new SourceError(why, { retry: 'never', cause: error });
  }
  const why = crash === undefined ? message : `${message}: ${crash}`;
  return new SourceError(`the renderer does not begin: ${why}`, { retry: 'soon', cause: error });
}

/** What the author of a revision sees that no answer came for. */
export function mistakeOf({ message, crash }: ChildFailure, file: string): Diagnostic {
  const advice = 'these files are not tried again; change them, or start the agent anew';
  return {
    severity: 'error',
    code: 'render-failed',
    message: `the renderer gave no answer: ${message}`,
    ...(file === '' ? {} : { place: placeOfFile(file) }),
    hint: crash === undefined ? advice : `it stopped at ${crash}; ${advice}`,
  };
}
