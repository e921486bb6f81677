import type { Place } from './diagnostic.ts';
import { digestOf } from './digest.ts';
import type { Folder } from './edge-mistakes.ts';
import { type Files, type FolderKind, type Memo, recall } from './folder-kind.ts';
import type { ImageUse, Pins } from './images-lock.ts';
import type { Id } from './kind.ts';
import type { Found } from './surroundings.ts';

/** What rendering folders needs besides their files. */
export interface FolderPorts<Spec> {
  readonly kind: FolderKind<Spec>;
  /** Changed in place: what was rendered now is kept for the next time. */
  readonly memo: Memo<Spec>;
  /** Told before a unit is rendered, so that a crash has a name. */
  readonly begin?: (file: string) => void;
  /** Told where an image stands whose digest the lock may give: of units that are rendered now, not of kept ones. */
  readonly image?: (use: ImageUse) => void;
}

/** The files of a revision. */
export interface Shelf {
  readonly files: Files;
  /** Blobs that were asked for and are not here. */
  readonly missing: Set<string>;
}

/** Larger than anything that a unit may be made of, so that such mistakes still show their size. */
export const CONTENT_BYTES_MAX = 4 * 2 ** 20;

/** Stands for content that is too large to be fetched: whoever reads it refuses it for its length. */
const oversized = new Uint8Array(CONTENT_BYTES_MAX + 1);
const unknown = new Uint8Array();

/** Pure but for the note of what is missing. A file of the revision; its blob is asked for where it is not here. */
export function contentOf({ files, missing }: Shelf, path: string): Uint8Array | undefined {
  const file = files.get(path);
  if (file === undefined) return undefined;
  if (file.sizeBytes > CONTENT_BYTES_MAX) return oversized;
  const bytes = file.bytes();
  if (bytes === undefined) missing.add(file.blob);
  return bytes ?? unknown;
}

/** One unit as a folder gave it. */
export interface UnitOutput<Spec> extends Folder<Spec> {
  readonly isNew: boolean;
}

/** Pure but for the memo. What these folders give; a unit of which nothing changed is not rendered again. */
export function renderFolders<Spec>(
  shelf: Shelf & { readonly pins: Pins },
  names: ReadonlySet<string>,
  found: Found,
  ports: FolderPorts<Spec>,
): readonly UnitOutput<Spec>[] {
  const surroundings = digestOf(found.surroundings);
  return [...names].map((name) => {
    const known = recall(ports.memo, name, { surroundings, ...shelf });
    const folder = `stacks/${name}`;
    const id: Id = `${ports.kind.kind}/${name}`;
    if (known !== undefined) return { id, folder, output: known, isNew: false };
    ports.begin?.(`${folder}/compose.yaml`);
    const asked = new Map<string, string | undefined>();
    const missing = new Set<string>();
    const read = (path: string): Uint8Array | undefined => {
      asked.set(path, shelf.files.get(path)?.blob);
      return contentOf({ files: shelf.files, missing }, path);
    };
    const pins = new Map<string, string | undefined>();
    const uses: ImageUse[] = [];
    const pin = (image: string, place: () => Place): string | undefined => {
      pins.set(image, shelf.pins.get(image));
      if (ports.image !== undefined) uses.push({ image, place: place() });
      return pins.get(image);
    };
    const output = ports.kind.render({ name, folder, surroundings: found.surroundings, read, pin });
    if (missing.size === 0) ports.memo.set(name, { surroundings, asked, pins, output });
    if (missing.size === 0) for (const use of uses) ports.image?.(use);
    for (const blob of missing) shelf.missing.add(blob);
    return { id, folder, output, isNew: true };
  });
}
