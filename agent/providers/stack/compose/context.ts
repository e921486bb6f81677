import type { FileObject, Network, SecretObject, Volume } from '../../../../schemas/compose.ts';
import type { ImageRules } from '../../../core/image-rules.ts';
import type { Pin } from '../../../core/images-lock.ts';
import type { Outputs } from '../../../core/outputs.ts';
import type { AllowRules } from '../../../core/surroundings.ts';
import type { SealedFiles } from '../sealed-files.ts';
import type { Notes } from './notes.ts';

/** What one section of the top level declares. */
export interface Declared<Entry> {
  /** As far as the schema takes them; null = all defaults. */
  readonly entries: ReadonlyMap<string, Entry | null>;
  /** False only where the file surely does not declare the key: a broken entry is declared, too. */
  has(key: string): boolean;
}

/** What every conversion may look at. */
export interface Context {
  readonly stack: string;
  /** Folder of the Compose file, within the repository. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Whose they are; absent: nobody's in particular. */
  readonly environment?: string;
  /** Who gives variables; absent: nobody. */
  readonly outputs?: Pick<Outputs, 'giverOf'>;
  readonly read: (path: string) => Uint8Array | undefined;
  /** What is encrypted; absent: nothing. */
  readonly sealed?: SealedFiles;
  readonly allow: AllowRules;
  readonly images: ImageRules;
  /** The digest that the lock has for an image in the familiar form. */
  readonly pin: Pin;
  /** The stack whose place this one takes. */
  readonly movedFrom?: string;
  /** `environment` holds what `env_file` and variables gave it already: it was resolved file by file. */
  readonly resolved?: true;
  readonly networks: Declared<Network>;
  readonly volumes: Declared<Volume>;
  readonly configs: Declared<FileObject>;
  readonly secrets: Declared<SecretObject>;
  /** Everything that is wrong goes here; a conversion goes on with what it has. */
  readonly notes: Notes;
}

/** Pure. The name in the Swarm: what the file gives, else the stack's own, else (external) the key. */
export function swarmName(
  key: string,
  entry:
    { readonly name?: string | undefined; readonly external?: ExternalForm } | null | undefined,
  stack: string,
): string {
  const external = entry?.external;
  const old = typeof external === 'object' ? external.name : undefined;
  if (entry?.name !== undefined && entry.name !== '') return entry.name;
  if (old !== undefined && old !== '') return old;
  return isExternal(external) ? key : `${stack}_${key}`;
}

type ExternalForm = boolean | { readonly name?: string | undefined } | undefined;

/** Pure. True for something that exists outside of the stack. */
export function isExternal(external: ExternalForm): boolean {
  return external !== undefined && external !== false;
}
