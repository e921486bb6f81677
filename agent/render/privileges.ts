import { accessSync, constants } from 'node:fs';

/** User and group `nobody` on Linux: owns nothing, and is in no group that a socket or a file belongs to. */
export const NOBODY = 65_534;

/** How the error below is told through a crash line. */
export const CANNOT_GIVE_UP_ROOT = 'CannotGiveUpRoot';

/** The process is still root, or could become it again. */
class CannotGiveUpRoot extends Error {
  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = CANNOT_GIVE_UP_ROOT;
  }
}

/**
 * Makes this process, with all its threads, `nobody` without further groups, for good. Does nothing where it is not
 * root. Throws where it would stay root or could come back: nothing hostile may be read then.
 */
export function giveUpRoot(): void {
  const { getuid, geteuid, getgroups, getgid, getegid, setuid, setgid, setgroups } = process;
  if (getuid === undefined || geteuid === undefined) return;
  if (getuid() !== 0 && geteuid() !== 0) return;
  try {
    // In this order: only root may change groups. `setuid` of root sets all three ids and drops every capability.
    setgroups?.([]);
    setgid?.(NOBODY);
    setuid?.(NOBODY);
  } catch (cause) {
    throw new CannotGiveUpRoot('user and groups cannot be changed', { cause });
  }
  const ids = [getuid(), geteuid(), getgid?.(), getegid?.(), ...(getgroups?.() ?? [])];
  if (ids.some((id) => id !== NOBODY)) throw new CannotGiveUpRoot('some of it is left');
  if (comesBack(setuid)) throw new CannotGiveUpRoot('it can come back');
}

function comesBack(setuid: typeof process.setuid): boolean {
  try {
    setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

/** Part of util-linux and of BusyBox. */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];

/**
 * The words before a command that keep it and what it starts from ever gaining rights again (PR_SET_NO_NEW_PRIVS, which
 * Node cannot set itself). None where this machine has no `setpriv`.
 */
export function noNewPrivileges(): readonly string[] {
  const program = SETPRIV.find(isThere);
  return program === undefined ? [] : [program, '--no-new-privs', '--'];
}

function isThere(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
