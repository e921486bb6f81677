import type { Folder } from './edge-mistakes.ts';
import { digestOf } from './digest.ts';
import { recall } from './folder-kind.ts';
import type { Files, FolderKind, FolderOutput, Memo } from './folder-kind.ts';
import type { Place } from './diagnostic.ts';
import type { ImageUse, Pins } from './images-lock.ts';
import type { Id, Rendered } from './kind.ts';
import type { Content, DocumentContent, Vault } from './sops/vault.ts';
import { type Rotations, withRotations } from './rotations.ts';
import type { Found } from './surroundings.ts';

/** Larger than anything that a unit may be made of, so that such mistakes still show their size. */
export const CONTENT_BYTES_MAX = 4 * 2 ** 20;

/** What rendering folders needs besides files. */
export interface FolderPorts<Spec> {
  readonly kind: FolderKind<Spec>;
  /** Changed in place: what was rendered now is kept for the next time. */
  readonly memo: Memo<Spec>;
  /** Opens what is encrypted; absent: everything is taken as it is. */
  readonly vault?: Pick<Vault, 'open' | 'openDocument'>;
  /** Told before a unit is rendered, so that a crash has a name. */
  readonly begin?: (file: string) => void;
  /** Told what came of a unit that was rendered now, before all of them are looked at together. */
  readonly ended?: (unit: Rendered<Spec>) => void;
  /** Told where an image stands whose digest the lock may give: of units that are rendered now, not of kept ones. */
  readonly image?: (use: ImageUse) => void;
}

/** The files of a revision, as far as they are here. */
export interface Shelf {
  readonly files: Files;
  /** Blobs that were asked for and are not here. */
  readonly missing: Set<string>;
}

/** Stands for content that is too large to be fetched: whoever reads it refuses it for its length. */
const oversized = new Uint8Array(CONTENT_BYTES_MAX + 1);
const unknown = new Uint8Array();

/** The content of a file, as far as it is here; what is not is noted. */
export function contentOf({ files, missing }: Shelf, path: string): Uint8Array | undefined {
  const file = files.get(path);
  if (file === undefined) return undefined;
  if (file.sizeBytes > CONTENT_BYTES_MAX) return oversized;
  const bytes = file.bytes();
  if (bytes === undefined) missing.add(file.blob);
  return bytes ?? unknown;
}

/** What became of one folder. */
export interface UnitOutput<Spec> extends Folder<Spec> {
  readonly isNew: boolean;
  /** A data key is missing. */
  readonly isPending: boolean;
}

/** What folders are rendered from beside their surroundings. */
interface Around extends Shelf {
  readonly pins: Pins;
  /** Undefined: not known yet, so that no unit is told as rendered. */
  readonly rotations: Rotations | undefined;
}

/** Renders every folder whose inputs changed. What others give for them counts in all, also in those that were kept. */
export function renderAll<Spec>(
  shelf: Around,
  names: ReadonlySet<string>,
  found: Found,
  ports: FolderPorts<Spec>,
): readonly UnitOutput<Spec>[] {
  const surroundings = digestOf(found.surroundings);
  return [...names].map((name) => {
    const known = recall(ports.memo, name, { surroundings, ...shelf });
    const folder = `stacks/${name}`;
    const id: Id = `${ports.kind.kind}/${name}`;
    if (known !== undefined) {
      return { id, folder, output: rotated(known, shelf), isNew: false, isPending: false };
    }
    ports.begin?.(`${folder}/compose.yaml`);
    const asked = new Map<string, string | undefined>();
    const missing = new Set<string>();
    const read = (path: string): Uint8Array | undefined => {
      asked.set(path, shelf.files.get(path)?.blob);
      return contentOf({ files: shelf.files, missing }, path);
    };
    let isPending = false;
    const open = (path: string, bytes: Uint8Array): Content => {
      const blob = shelf.files.get(path)?.blob ?? '';
      const content = ports.vault?.open({ path, blob, bytes }) ?? { status: 'plain', bytes };
      isPending ||= content.status === 'pending';
      return content;
    };
    const openDocument = (path: string, bytes: Uint8Array): DocumentContent => {
      const blob = shelf.files.get(path)?.blob ?? '';
      const content = ports.vault?.openDocument({ path, blob, bytes }) ?? { status: 'plain' };
      isPending ||= content.status === 'pending';
      return content;
    };
    const pins = new Map<string, string | undefined>();
    const uses: ImageUse[] = [];
    const pin = (image: string, place: () => Place): string | undefined => {
      pins.set(image, shelf.pins.get(image));
      if (ports.image !== undefined) uses.push({ image, place: place() });
      return pins.get(image);
    };
    const opening = { open, ...(ports.vault && { openDocument }) };
    const input = { name, folder, surroundings: found.surroundings, read, ...opening, pin };
    const rendered = ports.kind.render(input);
    const output = rotated(rendered, shelf);
    if (missing.size === 0 && !isPending) {
      ports.memo.set(name, { surroundings, asked, pins, output: rendered });
      const isWhole = shelf.rotations !== undefined;
      if (output.rendered !== undefined && isWhole) ports.ended?.(output.rendered);
      for (const use of uses) {
        if (output.sealedAt?.has(use.place.path ?? '') !== true) ports.image?.(use);
      }
    }
    for (const blob of missing) shelf.missing.add(blob);
    return { id, folder, output, isNew: true, isPending };
  });
}

/** The memo has the output as the folder alone makes it. */
function rotated<Spec>(
  output: FolderOutput<Spec>,
  { rotations }: Pick<Around, 'rotations'>,
): FolderOutput<Spec> {
  const { rendered } = output;
  if (rendered === undefined || rotations === undefined) return output;
  const unit = withRotations(rendered, rotations);
  return unit === rendered ? output : { ...output, rendered: unit };
}
