import { grantsIn } from '../grants.ts';
import type { ObservedClient } from '../observed.ts';
import type { PurgeThing } from './thing.ts';

type Clients = ReadonlyMap<string, Pick<ObservedClient, 'caps'>>;

/** How caps reach something. `above`: they name what it lies in, or no place at all. */
type Reach = 'named' | 'above' | 'none';

/** Pure. Clients whose caps name it, or a folder in it, by their full names. */
export function usersOf(thing: PurgeThing, clients: Clients): readonly string[] {
  return reaching(thing, clients, 'named');
}

/** Pure. Clients that may mount what it lies in, and so reach it as well. Who may do everything is not among them. */
export function usersAbove(thing: PurgeThing, clients: Clients): readonly string[] {
  const named = new Set(usersOf(thing, clients));
  return reaching(thing, clients, 'above').filter((name) => !named.has(name));
}

function reaching(thing: PurgeThing, clients: Clients, wanted: Reach): readonly string[] {
  return [...clients]
    .filter(([, { caps }]) =>
      [...caps].some(([service, text]) =>
        grantsIn(text).some((grant) => reachOf(thing, service, wordsIn(grant)) === wanted),
      ),
    )
    .map(([name]) => name)
    .toSorted();
}

/** What stands in quotes may hold blanks. */
const WORDS = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;

/** `allow rw fsname=cephfs path=/volumes/sites/blog`: the words with a value, by their names. `pool rep` is the older form. */
function wordsIn(grant: string): ReadonlyMap<string, string> {
  const words = [...grant.matchAll(WORDS)].map(([word]) => word.replaceAll(/["']/g, ''));
  return new Map(
    words.flatMap((word, at): [string, string][] => {
      const end = word.indexOf('=');
      if (end >= 0) return [[word.slice(0, end), word.slice(end + 1)]];
      const next = word === 'pool' ? words[at + 1] : undefined;
      return next === undefined ? [[word, '']] : [[word, next]];
    }),
  );
}

function reachOf(
  { what, names }: PurgeThing,
  service: string,
  words: ReadonlyMap<string, string>,
): Reach {
  const [first = '', second = '', third] = names;
  if (what === 'ceph-pool') return words.get('pool') === first ? 'named' : 'none';
  const system = words.get('fsname') ?? words.get('data') ?? words.get('metadata');
  const isOther = system !== undefined && system !== first && system !== '*';
  if (isOther) return 'none';
  if (what === 'ceph-filesystem' && system === first) return 'named';
  // All else that reaches files goes through the daemon of the file system.
  if (service !== 'mds' || words.has('*') || words.has('profile')) return 'none';
  const path = words.get('path') ?? '/';
  if (what === 'ceph-filesystem') return 'above';
  const group = `/volumes/${second}`;
  const folder = third === undefined ? group : `${group}/${third}`;
  if (isAtOrBelow(path, folder)) return 'named';
  return isAtOrBelow(folder, path) ? 'above' : 'none';
}

function isAtOrBelow(path: string, folder: string): boolean {
  const plain = folder.replace(/\/+$/, '');
  return path === plain || path === folder || path.startsWith(`${plain}/`);
}
