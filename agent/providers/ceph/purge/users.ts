import type { ObservedClient } from '../observed.ts';
import { NO_GROUP } from '../observed.ts';
import type { PurgeThing } from './thing.ts';

/** Pure. Clients whose caps name it, or a folder in it, by their full names. Who may do everything names nothing. */
export function usersOf(
  thing: PurgeThing,
  clients: ReadonlyMap<string, Pick<ObservedClient, 'caps'>>,
): readonly string[] {
  return [...clients]
    .filter(([, { caps }]) => [...caps.values()].some((text) => isNamed(thing, text)))
    .map(([name]) => name)
    .toSorted();
}

function isNamed(thing: PurgeThing, caps: string): boolean {
  return caps.split(',').some((grant) => isGranted(thing, wordsIn(grant)));
}

/** `allow rw fsname=cephfs path=/volumes/sites/blog`: the words with a value, by their names. `pool rep` is the older form. */
function wordsIn(grant: string): ReadonlyMap<string, string> {
  const words = grant.replaceAll(/["']/g, '').split(/\s+/);
  return new Map(
    words.flatMap((word, at): [string, string][] => {
      const [name = '', value] = word.split('=', 2);
      const next = name === 'pool' ? words[at + 1] : undefined;
      const given = value ?? next;
      return given === undefined ? [] : [[name, given]];
    }),
  );
}

function isGranted({ what, names }: PurgeThing, words: ReadonlyMap<string, string>): boolean {
  const [first = '', second = '', third] = names;
  if (what === 'ceph-pool') return words.get('pool') === first;
  const system = words.get('fsname') ?? words.get('data') ?? words.get('metadata');
  if (what === 'ceph-filesystem') return system === first;
  // Caps without the name of a file system are for all of them.
  if (system !== undefined && system !== first) return false;
  const group = `/volumes/${second === '' ? NO_GROUP : second}`;
  const path = words.get('path');
  return path !== undefined && isAtOrBelow(path, third === undefined ? group : `${group}/${third}`);
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
