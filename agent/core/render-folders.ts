import type { Folder } from './edge-mistakes.ts';
import { digestOf } from './digest.ts';
import { recall } from './folder-kind.ts';
import type { Files, FolderInput, FolderKind, FolderOutput, Kept, Memo } from './folder-kind.ts';
import type { Place } from './diagnostic.ts';
import type { ImageUse, Pins } from './images-lock.ts';
import type { Id, Rendered } from './kind.ts';
import type { Content, DocumentContent, Vault } from './sops/vault.ts';
import { NotedOutputs, type Outputs, outputsOf } from './outputs.ts';
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

/** What documents give to folders. */
export interface Given {
  readonly rotations: Rotations;
  readonly outputs: Outputs;
}

const NOTHING = outputsOf([]);

/** What folders are rendered from beside their surroundings. */
interface Around extends Shelf {
  readonly pins: Pins;
  /** Undefined: not known yet, so that no unit is told as rendered. */
  readonly given: Given | undefined;
}

/** Renders every folder whose inputs changed. What others give for them counts in all, also in those that were kept. */
export function renderAll<Spec>(
  shelf: Around,
  names: ReadonlySet<string>,
  found: Found,
  ports: FolderPorts<Spec>,
): readonly UnitOutput<Spec>[] {
  const surroundings = digestOf(found.surroundings);
  const outputs = shelf.given?.outputs ?? NOTHING;
  return [...names].map((name) => {
    const known = recall(ports.memo, name, { surroundings, ...shelf, outputs });
    const folder = `stacks/${name}`;
    const id: Id = `${ports.kind.kind}/${name}`;
    if (known !== undefined) {
      return { id, folder, output: rotated(known, shelf), isNew: false, isPending: false };
    }
    ports.begin?.(`${folder}/compose.yaml`);
    const asking = new Asking(shelf, ports);
    const input = { name, folder, surroundings: found.surroundings, ...asking.input };
    const rendered = ports.kind.render(input);
    const output = rotated(rendered, shelf);
    if (asking.isComplete) {
      ports.memo.set(name, { surroundings, ...asking.asked, output: rendered });
      if (output.rendered !== undefined && shelf.given !== undefined)
        ports.ended?.(output.rendered);
      for (const use of asking.uses) {
        if (output.sealedAt?.has(use.place.path ?? '') !== true) ports.image?.(use);
      }
    }
    return { id, folder, output, isNew: true, isPending: asking.isPending };
  });
}

type AskingPorts = Pick<FolderPorts<unknown>, 'vault' | 'image'>;

/** All that one folder asks for. */
class Asking {
  /** Where the images stand that it asked for, if anybody wants to know. */
  readonly uses: ImageUse[] = [];
  isPending = false;
  readonly #files = new Map<string, string | undefined>();
  readonly #pins = new Map<string, string | undefined>();
  readonly #outputs: NotedOutputs;
  readonly #missing = new Set<string>();
  readonly #shelf: Around;
  readonly #ports: AskingPorts;

  constructor(shelf: Around, ports: AskingPorts) {
    this.#shelf = shelf;
    this.#ports = ports;
    this.#outputs = new NotedOutputs(shelf.given?.outputs ?? NOTHING);
  }

  /** What the folder is rendered from beside what surrounds it. */
  get input(): Omit<FolderInput, 'name' | 'folder' | 'surroundings'> {
    return {
      read: (path) => this.#read(path),
      open: (path, bytes) => this.#open(path, bytes),
      ...(this.#ports.vault && { openDocument: (path, bytes) => this.#openDocument(path, bytes) }),
      pin: (image, place) => this.#pin(image, place),
      outputs: this.#outputs,
    };
  }

  get asked(): Pick<Kept<unknown>, 'asked' | 'pins' | 'outputs'> {
    return { asked: this.#files, pins: this.#pins, outputs: this.#outputs };
  }

  get isComplete(): boolean {
    return this.#missing.size === 0 && !this.isPending;
  }

  #read(path: string): Uint8Array | undefined {
    const { files, missing } = this.#shelf;
    this.#files.set(path, files.get(path)?.blob);
    const bytes = contentOf({ files, missing: this.#missing }, path);
    for (const blob of this.#missing) missing.add(blob);
    return bytes;
  }

  #open(path: string, bytes: Uint8Array): Content {
    const content = this.#ports.vault?.open({ path, blob: this.#blob(path), bytes });
    return this.#noted(content ?? { status: 'plain', bytes });
  }

  #openDocument(path: string, bytes: Uint8Array): DocumentContent {
    const content = this.#ports.vault?.openDocument({ path, blob: this.#blob(path), bytes });
    return this.#noted(content ?? { status: 'plain' });
  }

  #blob(path: string): string {
    return this.#shelf.files.get(path)?.blob ?? '';
  }

  #noted<Opened extends Content | DocumentContent>(content: Opened): Opened {
    this.isPending ||= content.status === 'pending';
    return content;
  }

  #pin(image: string, place: () => Place): string | undefined {
    const digest = this.#shelf.pins.get(image);
    this.#pins.set(image, digest);
    if (this.#ports.image !== undefined) this.uses.push({ image, place: place() });
    return digest;
  }
}

/** The memo has the output as the folder alone makes it. */
function rotated<Spec>(
  output: FolderOutput<Spec>,
  { given }: Pick<Around, 'given'>,
): FolderOutput<Spec> {
  const { rendered } = output;
  if (rendered === undefined || given === undefined) return output;
  const unit = withRotations(rendered, given.rotations);
  return unit === rendered ? output : { ...output, rendered: unit };
}
