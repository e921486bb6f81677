import type { Id } from '../../core/kind.ts';
import { namedBy } from './named.ts';
import type { ClientSpec } from './spec.ts';

/** What a client may do, by service. Complete: what is not in it is taken away. */
export type Caps = ReadonlyMap<string, string>;

interface Share {
  readonly filesystem: string;
  readonly path: string;
  readonly writes: boolean;
}

/** Pure. What a document gives a client, or why nobody can. */
export function wantedCaps({ caps, subvolumes = [], cluster }: ClientSpec): Caps | string {
  if (caps !== undefined) {
    return new Map(
      Object.entries(caps).flatMap(([service, text]) =>
        text === undefined ? [] : [[service, normalised(text)]],
      ),
    );
  }
  const shares: Share[] = [];
  for (const { id, access } of subvolumes) {
    const named = namedBy(toId(id));
    const [filesystem, group, name] = named?.names ?? [];
    if (named?.what !== 'ceph-subvolume' || filesystem === undefined) {
      return `\`${id}\` is no subvolume`;
    }
    if (named.cluster !== cluster && named.cluster !== undefined) {
      return `\`${id}\` is in another cluster`;
    }
    const path = `/volumes/${group ?? ''}/${name ?? ''}`;
    shares.push({ filesystem, path, writes: access === 'rw' });
  }
  return capsOf(shares);
}

function toId(text: string): Id {
  const [kind = '', ...rest] = text.split('/');
  return `${kind}/${rest.join('/')}`;
}

/**
 * A client mounts its folders and nothing above or beside them. Who speaks to the stores without a file system reaches every
 * object of its file systems, as long as subvolumes have no namespace of their own.
 */
function capsOf(shares: readonly Share[]): Caps {
  const systems = new Map<string, boolean>();
  for (const { filesystem, writes } of shares) {
    systems.set(filesystem, writes || systems.get(filesystem) === true);
  }
  const each = (part: (filesystem: string, writes: boolean) => string): string =>
    [...systems].map(([filesystem, writes]) => part(filesystem, writes)).join(', ');
  return new Map([
    ['mon', each((filesystem) => `allow r fsname=${filesystem}`)],
    [
      'mds',
      shares
        .map(
          ({ filesystem, path, writes }) =>
            `allow ${may(writes)} fsname=${filesystem} path=${path}`,
        )
        .join(', '),
    ],
    ['osd', each((name, writes) => `allow ${may(writes)} tag cephfs data=${name}`)],
  ]);
}

function may(writes: boolean): string {
  return writes ? 'rw' : 'r';
}

/** Blanks, or what stands in quotes: a path may have blanks of its own. Ceph knows no escapes there. */
const BLANKS = /\s+|"[^"]*"|'[^']*'/g;

/** Pure. Ceph keeps blanks as they were written; but for those in quotes they mean nothing. */
export function normalised(text: string): string {
  return text.trim().replaceAll(BLANKS, (part) => (/^["']/.test(part) ? part : ' '));
}

/** Pure. As Ceph's commands take them. */
export function capsList(caps: Caps): string[] {
  return [...caps].flat();
}
