import { StackName } from '../../schemas/common.ts';
import { type Diagnostic, placeOfFile } from './diagnostic.ts';

/** The path of the lock in a repository. */
export const IMAGES_LOCK = 'images.lock.yaml';

/** Which file is what, decided by paths alone. */
export interface Layout {
  /** Path of understudy.yaml, absent where there is none. */
  readonly repository?: string;
  /** Path of images.lock.yaml, absent where there is none. */
  readonly lock?: string;
  /** Names of environments, each with its file. */
  readonly environments: ReadonlyMap<string, string>;
  /** Folders of stacks/ that have a compose.yaml or a stack.yaml and a name that Swarm takes, sorted, with their files. */
  readonly stacks: ReadonlyMap<string, readonly string[]>;
  /** Files of documents, sorted; none where no folder of them is read. */
  readonly documents: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

type Code = Diagnostic['code'];

interface Rule {
  readonly pattern: RegExp;
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
  /** One diagnostic for all files with the same text in the first group. */
  readonly once?: true;
}

const LATER = 'not supported by this version yet';

/** Files that mean something, but not here or not yet. Everything that no rule names is ignored. */
const rules: readonly Rule[] = [
  {
    pattern: /^understudy\.yml$/,
    code: 'file-name',
    message: 'this file is not read',
    hint: 'rename it to `understudy.yaml`',
  },
  {
    pattern: /^environments\/[^/]+\.yml$/,
    code: 'file-name',
    message: 'this file is not read',
    hint: 'environments end in `.yaml`',
  },
  {
    pattern: /^environments\/.+\/.+\.ya?ml$/,
    code: 'file-name',
    message: 'environments have no folders of their own',
    hint: 'write `environments/NAME.yaml`',
  },
  {
    pattern: /^stacks\/[^/]+\.ya?ml$/,
    code: 'file-name',
    message: 'a stack is a folder',
    hint: 'write `stacks/NAME/compose.yaml`',
  },
  {
    pattern: /^stacks\/[^/]+\/stack\.yml$/,
    code: 'file-name',
    message: 'this file is not read',
    hint: 'rename it to `stack.yaml`',
  },
  {
    pattern: /^stacksets\/([^/]+)\/(?:.+\/)?[^/]+\.ya?ml$/,
    code: 'unsupported-key',
    message: `a StackSet is ${LATER}`,
    once: true,
  },
  {
    pattern: /^ceph\/(?:.+\/)?[^/]+\.ya?ml$/,
    code: 'unsupported-key',
    message: `a document in \`ceph/\` is ${LATER}`,
  },
  {
    pattern: /^mysql\/(?:.+\/)?[^/]+\.ya?ml$/,
    code: 'unsupported-key',
    message: `a document in \`mysql/\` is ${LATER}`,
  },
  {
    pattern: /^secrets\/(?:.+\/)?[^/]+\.sops\.ya?ml$/,
    code: 'unsupported-key',
    message: `a SOPS file is ${LATER}`,
  },
  {
    pattern: /^images\.lock\.yml$/,
    code: 'file-name',
    message: 'this file is not read',
    hint: 'rename it to `images.lock.yaml`',
  },
  {
    pattern: /^stacks\/(?:.+\/)?images\.lock\.ya?ml$/,
    code: 'file-name',
    message: 'this file is not read',
    hint: 'digests stand in one `images.lock.yaml`, beside `understudy.yaml`',
  },
  ...folderMistake('stacks', /^(?!stacks\/)([Ss][Tt][Aa][Cc][Kk][Ss]?)\/.+\.ya?ml$/),
  ...folderMistake(
    'environments',
    /^(?!environments\/)([Ee][Nn][Vv](?:[Ii][Rr][Oo][Nn][Mm][Ee][Nn][Tt][Ss]?)?)\/.+\.ya?ml$/,
  ),
];

function folderMistake(folder: string, pattern: RegExp): readonly Rule[] {
  const message = 'this folder is not read';
  return [{ pattern, code: 'file-name', message, hint: `rename it to \`${folder}\``, once: true }];
}

const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const OTHER_COMPOSE = /^(?:compose\.yml|docker-compose\.ya?ml|docker-stack\.ya?ml)$/;

/** What is said of the folders of documents that are read, in place of the rules that refuse them. */
function rulesWith(folders: readonly string[]): readonly Rule[] {
  if (folders.length === 0) return rules;
  const isRefused = ({ pattern }: Rule): boolean =>
    [...folders.map((folder) => `${folder}/x.yaml`), 'secrets/x.sops.yaml'].some((path) =>
      pattern.test(path),
    );
  const own = folders.flatMap((folder): readonly Rule[] => {
    const letters = folder.replaceAll(/[a-z]/g, (one) => `[${one}${one.toUpperCase()}]`);
    return [
      {
        pattern: new RegExp(`^${folder}\\/(?:.+\\/)?[^/]+\\.yml$`),
        code: 'file-name',
        message: 'this file is not read',
        hint: 'documents end in `.yaml`',
      },
      ...folderMistake(folder, new RegExp(`^(?!${folder}\\/)(${letters})\\/.+\\.ya?ml$`)),
    ];
  });
  return [...rules.filter((rule) => !isRefused(rule)), ...own];
}

/** Pure. `paths` sorted. `documentFolders`: those that documents are read from, in small letters. */
export function layOut(paths: readonly string[], documentFolders: readonly string[] = []): Layout {
  const environments = new Map<string, string>();
  const folders = new Map<string, string[]>();
  const diagnostics = misplaced(paths, rulesWith(documentFolders));
  for (const path of paths) {
    const environment = /^environments\/([^/]+)\.yaml$/.exec(path)?.[1];
    if (environment !== undefined) {
      if (ENVIRONMENT_NAME.test(environment)) environments.set(environment, path);
      else diagnostics.push(badName(path, environment));
    }
    const [, folder, rest] = /^stacks\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (folder !== undefined && rest !== undefined) {
      const known = folders.get(folder);
      if (known === undefined) folders.set(folder, [rest]);
      else known.push(rest);
    }
  }
  const stacks = [...folders].filter(([folder, files]) => {
    const mistake = stackMistake(folder, files);
    if (mistake !== undefined) diagnostics.push(mistake);
    return mistake === undefined;
  });
  diagnostics.push(...sameButForCase(stacks.map(([folder]) => folder)));
  return {
    ...(paths.includes('understudy.yaml') ? { repository: 'understudy.yaml' } : {}),
    ...(paths.includes(IMAGES_LOCK) ? { lock: IMAGES_LOCK } : {}),
    environments,
    stacks: new Map(stacks),
    documents: paths.filter((path) => isDocument(path, documentFolders)),
    diagnostics,
  };
}

function isDocument(path: string, folders: readonly string[]): boolean {
  return path.endsWith('.yaml') && folders.some((folder) => path.startsWith(`${folder}/`));
}

function misplaced(paths: readonly string[], told: readonly Rule[]): Diagnostic[] {
  const seen = new Set<string>();
  return paths.flatMap((path) => {
    for (const { pattern, code, message, hint, once } of told) {
      const found = pattern.exec(path);
      if (found === null) continue;
      const key = `${pattern.source}\0${found[1] ?? ''}`;
      if (once === true && seen.has(key)) return [];
      seen.add(key);
      return [error(code, message, path, hint)];
    }
    return [];
  });
}

function error(code: Code, message: string, file: string, hint?: string): Diagnostic {
  const place = placeOfFile(file);
  return { severity: 'error', code, message, place, ...(hint === undefined ? {} : { hint }) };
}

function badName(file: string, name: string): Diagnostic {
  const hint = 'use letters, digits, `-`, `_` and `.`, a letter or digit first';
  return error('wrong-name', `\`${name}\` is not a name for an environment`, file, hint);
}

function stackMistake(folder: string, files: readonly string[]): Diagnostic | undefined {
  // A stack.yaml may name other files; whether it does is not decided by paths.
  if (!files.includes('compose.yaml') && !files.includes('stack.yaml')) {
    const other = files.find((file) => OTHER_COMPOSE.test(file));
    if (other === undefined) {
      const hint = `write it, or remove \`stacks/${folder}\``;
      const message = `\`stacks/${folder}\` has no \`compose.yaml\``;
      return error('missing-file', message, `stacks/${folder}/compose.yaml`, hint);
    }
    const hint = 'rename it to `compose.yaml`';
    return error('file-name', 'this file is not read', `stacks/${folder}/${other}`, hint);
  }
  if (StackName.safeParse(folder).success) return undefined;
  const hint = 'use at most 61 letters, digits, `-` and `_`, a letter or digit first and last';
  const message = `\`${folder}\` is not a name for a stack`;
  return error('wrong-name', message, `stacks/${folder}/compose.yaml`, hint);
}

function sameButForCase(names: readonly string[]): readonly Diagnostic[] {
  const seen = new Map<string, string>();
  return names.flatMap((name) => {
    const other = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), name);
    if (other === undefined) return [];
    const message = `the stacks \`${other}\` and \`${name}\` differ only in case, Swarm takes them for one`;
    return [error('name-conflict', message, `stacks/${name}/compose.yaml`)];
  });
}
