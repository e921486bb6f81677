import type { Stack } from '../../../schemas/stack.ts';
import { type Diagnostic, type Place, placeOfFile } from '../../core/diagnostic.ts';
import { documentText } from '../../core/document.ts';
import type { Read } from '../../core/document.ts';
import type { FolderInput } from '../../core/folder-kind.ts';
import type { ComposeFile } from './compose/render.ts';

/** The Compose files of one stack, the later ones over the first. */
export interface ComposeFiles {
  /** Those that can be read. */
  readonly files: readonly ComposeFile[];
  /** Those that it is made of, whether or not they exist. */
  readonly paths: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Pure. What `files` of stack.yaml names, from the stack's folder; without it `compose.yaml` and, where there is one, the
 * file of the environment.
 */
export function composeFiles(
  input: Omit<FolderInput, 'open'>,
  document: Read<Stack>,
): ComposeFiles {
  const { folder, surroundings, read, openDocument } = input;
  const own = `${folder}/compose.${surroundings.environment}.yaml`;
  const named = document.value?.files?.map((file) => `${folder}/${file}`);
  const paths = named ?? [`${folder}/compose.yaml`, ...(read(own) === undefined ? [] : [own])];
  const files: ComposeFile[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, file] of paths.entries()) {
    const bytes = read(file);
    if (bytes === undefined) {
      const place = named && document.located?.place(['files', index]);
      diagnostics.push(place === undefined ? without(folder, file) : missing(file, place));
      continue;
    }
    const { document: content, diagnostics: unreadable } = documentText(file, bytes, openDocument);
    diagnostics.push(...unreadable);
    if (content !== undefined) files.push({ file, ...content });
  }
  return { files, paths, diagnostics };
}

function missing(file: string, place: Place): Diagnostic {
  const message = `there is no file \`${file}\` in the repository`;
  const hint = "write it, or take it out of `files`; paths begin at the stack's folder";
  return { severity: 'error', code: 'missing-file', message, place, hint };
}

function without(folder: string, file: string): Diagnostic {
  const message = `\`${folder}\` has no \`compose.yaml\``;
  const hint = 'write it, or name the Compose files in `files` of stack.yaml';
  return { severity: 'error', code: 'missing-file', message, place: placeOfFile(file), hint };
}
