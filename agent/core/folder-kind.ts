import type { Diagnostic, Place } from './diagnostic.ts';
import type { Pin, Pins } from './images-lock.ts';
import type { Id, Rendered } from './kind.ts';
import { type AskedOutputs, fitOutputs, type Outputs } from './outputs.ts';
import type { Content, DocumentContent } from './sops/vault.ts';
import type { Surroundings } from './surroundings.ts';

/** A file of a revision, as rendering sees it. */
export interface RepositoryFile {
  /** Names the content: equal blobs are equal bytes. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** Undefined where the content is not here yet. */
  bytes(): Uint8Array | undefined;
}

/** All files of a revision by path. */
export type Files = ReadonlyMap<string, RepositoryFile>;

/** What a unit is rendered from. */
export interface FolderInput {
  /** The folder's name, which is the unit's. */
  readonly name: string;
  /** `stacks/blog` */
  readonly folder: string;
  readonly surroundings: Surroundings;
  /** A file of the revision by its path from the top; nothing else exists. */
  readonly read: (path: string) => Uint8Array | undefined;
  /** The same file as it is once it is decrypted. Absent: nothing is encrypted. */
  readonly open?: (path: string, bytes: Uint8Array) => Content;
  /** What of a document is encrypted. Absent: none may be. */
  readonly openDocument?: (path: string, bytes: Uint8Array) => DocumentContent;
  /** The digest that images.lock.yaml has for an image in the familiar form. Absent: there is no such file. */
  readonly pin?: Pin;
  /** What units give to those that depend on them. Absent: nothing. */
  readonly outputs?: Outputs;
}

/** A unit that another one depends on, and where that is written. */
export interface Dependency {
  readonly on: Id;
  readonly place: Place;
}

/** What became of it. With any error among the diagnostics `rendered` is absent. */
export interface FolderOutput<Spec> {
  readonly rendered?: Rendered<Spec>;
  /** Names that no other unit may have, lower case: `service:blog_web`. */
  readonly claims: readonly string[];
  /** Where such a name is written. Absent: it follows from the unit as a whole. */
  readonly claimedAt?: ReadonlyMap<string, Place>;
  /** What it keeps its state in and writes to, as people name it: `volume blog_data`. */
  readonly state?: readonly string[];
  /** It must never run twice: where that is written. */
  readonly single?: Place;
  /** What it names in `dependsOn`, also where something else of it is wrong. */
  readonly depends: readonly Dependency[];
  /** Whose place it takes, also where something else of it is wrong. */
  readonly movedFrom?: Dependency;
  /** What it gives under a name that stays while what is behind it may change, with a digest of that: `secret:blog_db`. */
  readonly rotations?: ReadonlyMap<string, string>;
  /** The variable in which those that depend on it find what it gives. */
  readonly variable?: string;
  /** Paths of the files that it is made of by their names, whether or not they exist. */
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** What was decrypted of its documents: nothing that is said may have it. */
  readonly words?: readonly string[];
  /** Where decrypted values stand in them: what is there is told to nobody. */
  readonly sealedAt?: ReadonlySet<string>;
}

/** A kind whose units are folders. Pure: it runs in the renderer's child. */
export interface FolderKind<Spec> {
  readonly kind: string;
  render(input: FolderInput): FolderOutput<Spec>;
}

/** What one unit was rendered from, and what came out. */
export interface Kept<Spec> {
  readonly surroundings: string;
  /** Every path that was asked for with the blob it had; undefined = there was no such file. */
  readonly asked: ReadonlyMap<string, string | undefined>;
  /** Every image whose digest was asked for, with the answer. */
  readonly pins: Pins;
  readonly outputs: AskedOutputs;
  readonly output: FolderOutput<Spec>;
}

/** Results of earlier renderings, so that only what changed is rendered again. One environment has one. */
export type Memo<Spec> = Map<string, Kept<Spec>>;

/** What all units of a revision are rendered from. */
export interface Sources {
  /** Digest of the surroundings. */
  readonly surroundings: string;
  readonly files: Files;
  readonly pins: Pins;
  readonly outputs: Outputs;
}

/** Pure. The kept result, if nothing that went into it is different now. */
export function recall<Spec>(
  memo: Memo<Spec>,
  name: string,
  { surroundings, files, pins, outputs }: Sources,
): FolderOutput<Spec> | undefined {
  const kept = memo.get(name);
  if (kept?.surroundings !== surroundings || !fits(kept, files)) return undefined;
  for (const [image, digest] of kept.pins) if (pins.get(image) !== digest) return undefined;
  return fitOutputs(kept.outputs, outputs) ? kept.output : undefined;
}

/** Pure. Whether every file that went into a result is still the same. */
export function fits<Spec>({ asked }: Kept<Spec>, files: Files): boolean {
  for (const [path, blob] of asked) if (files.get(path)?.blob !== blob) return false;
  return true;
}
