import type { z } from 'zod';

import { check } from './check.ts';
import type { Diagnostic, Place } from './diagnostic.ts';
import type { Dependency } from './folder-kind.ts';
import type { Id } from './kind.ts';
import type { Located } from './parse.ts';
import type { SealedVariables } from './sealed-environment.ts';
import type { ServerChoice } from './servers.ts';
import type { DocumentContent } from './sops/vault.ts';

/** A name that no other unit may have, and where it is written. */
export interface Claim {
  /** `secret:blog_db` */
  readonly name: string;
  readonly place: Place;
}

/** Something that a unit counts on. It waits for it if a document of the repository makes it. */
export interface Want {
  /** `database:blog` */
  readonly on: string;
  readonly place: Place;
  /** As people name it: the author is told where nothing makes it. Absent: nobody is told. */
  readonly named?: string;
}

/** What a kind makes of a document without mistakes. */
export interface DocumentResult<Spec> {
  /** Absent with any error among the diagnostics. */
  readonly spec?: Spec;
  /** What others may need, beside what the document is. */
  readonly gives?: readonly string[];
  /** What of `gives` may become another one under the same name, with a digest of what is behind it. */
  readonly rotations?: ReadonlyMap<string, string>;
  /** The variable in which those that depend on it find what it gives. */
  readonly variable?: string;
  readonly claims?: readonly Claim[];
  readonly wants?: readonly Want[];
  /** Units that it names beside `dependsOn`, and waits for: each has to exist. */
  readonly depends?: readonly Dependency[];
  /** Where things stand that `mistakes` of the folder may have to show, by path as people write it. */
  readonly places?: ReadonlyMap<string, Place>;
  /** A file that it names is encrypted, and nobody has to have the key here: the spec says nothing. */
  readonly closed?: true;
  readonly diagnostics: readonly Diagnostic[];
  /** What was decrypted, and what is a secret as it stands: nothing that is said may have it. */
  readonly words?: readonly string[];
}

/** Another file of the revision. */
export interface OpenedFile {
  readonly bytes: Uint8Array;
  readonly content: DocumentContent;
}

/** What a document is rendered with beside itself. */
export interface DocumentInput {
  readonly located: Located;
  /** As the agent's settings name it; absent: the only one that they name. */
  readonly server?: string;
  /** Its part of ids and of things; absent: the default one. */
  readonly named?: string;
  /** Undefined: there is no such file. */
  readonly open: (path: string) => OpenedFile | undefined;
}

/** What every document about a server says. */
export interface CommonKeys {
  readonly dependsOn: readonly Id[];
  readonly suspend: boolean;
}

/** What came of reading one document. */
export interface CheckedDocument<Spec> {
  /** Absent where the schema refuses it. */
  readonly common?: CommonKeys;
  /** Absent where nothing could be rendered. */
  readonly result?: DocumentResult<Spec>;
  readonly diagnostics: readonly Diagnostic[];
}

/** A key that names what a document lies in. */
export interface OuterKey {
  readonly key: string;
  /** What stands in ids where the key is not written. Absent: it has to be written. */
  readonly otherwise?: string;
}

/** A kind whose units are documents. Pure: it runs in the renderer's child. */
export interface DocumentKind<Spec> {
  /** `MySQLUser` */
  readonly kind: string;
  /** `mysql-user` */
  readonly unit: string;
  /** What others may need under the name of the document: `database`. */
  readonly makes?: string;
  /** Keys that name what it lies in, outermost first: they stand before its name in ids. Absent: it lies in nothing. */
  readonly within?: readonly OuterKey[];
  /** Without an input only what can be said without one. */
  read(located: Located, input: DocumentInput | undefined): CheckedDocument<Spec>;
}

/** Pure. A kind by its schema and by what it makes of a document that fits it. */
export function documentKind<Document extends CommonKeys, Spec>(
  names: Pick<DocumentKind<Spec>, 'kind' | 'unit' | 'makes' | 'within'>,
  schema: z.ZodType<Document>,
  render: (document: Document, input: DocumentInput) => DocumentResult<Spec>,
): DocumentKind<Spec> {
  return {
    ...names,
    read: (located, input) => {
      const { value, diagnostics } = check(located, schema);
      if (value === undefined) return { diagnostics };
      const { dependsOn, suspend } = value;
      const result = input && render(value, input);
      return { common: { dependsOn, suspend }, ...(result && { result }), diagnostics };
    },
  };
}

/** A document without mistakes of its own, beside the others of its folder. */
export interface SoundDocument<Spec> {
  readonly id: Id;
  readonly spec: Spec;
  /** Where it stands: its name. */
  readonly place: Place;
  readonly places: ReadonlyMap<string, Place>;
}

/** A folder of documents about servers of one family, with several documents a file. */
export interface DocumentFolder<Spec> {
  /** Its name, and the key of Environments that says which servers there are: `mysql`. */
  readonly folder: string;
  /** The key of documents that names the server. */
  readonly serverKey: string;
  readonly kinds: readonly DocumentKind<Spec>[];
  /** What is wrong with its own documents that are right by themselves; they come in the order of the files. */
  mistakes?(documents: readonly SoundDocument<Spec>[]): readonly Diagnostic[];
}

/** What the documents of a folder are rendered with: parts of the Environment. */
export interface DocumentSurroundings {
  readonly environment: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly sealed?: SealedVariables;
  readonly servers: ServerChoice;
  /** `stacks` of the Environment, which chooses documents by their ids. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}
