import { SETTINGS_SCALARS, SETTINGS_UNSUPPORTED, Settings } from '../schemas/settings.ts';
import { check } from './core/check.ts';
import { type Diagnostic, type Place, placeOfFile } from './core/diagnostic.ts';
import { readDocument } from './core/document.ts';
import { leaseProblem, SWARM_CALL_MS } from './core/lease.ts';
import type { Located } from './core/parse.ts';
import { suggest } from './core/suggest.ts';
import { leaseTimesOf } from './lease/times.ts';
import { followedProblems, readUrl } from './source/grammar.ts';
import { type HttpsSettings, readHttps } from './source/https.ts';

/** Where settings come from, the last one first in rank. */
export interface SettingsInput {
  /** The settings file; without text where it is not there: the mistakes name what was looked for. */
  readonly file?: { readonly path: string; readonly text?: string };
  /** The process's environment; only `UNDERSTUDY_…` is looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values of flags by setting, `repository.url`; see `settingFlags`. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** Started with `--local`: a repository on this machine is fine. */
  readonly local: boolean;
}

/** The settings, absent where there is any mistake; and every mistake. */
export interface SettingsRead {
  readonly settings?: Settings;
  readonly diagnostics: readonly Diagnostic[];
}

const PREFIX = 'UNDERSTUDY_';

/** Settings that a flag can give, by the flag's name without `--`: `repository-url` gives `repository.url`. */
export const settingFlags: ReadonlyMap<string, string> = new Map(
  SETTINGS_SCALARS.map((key) => [words(key).join('-').toLowerCase(), key]),
);

const variables: ReadonlyMap<string, string> = new Map(
  SETTINGS_SCALARS.map((key) => [PREFIX + words(key).join('_').toUpperCase(), key]),
);

/** Pure. `repository.ssh.keyFile` in its words. */
function words(key: string): readonly string[] {
  return key.split('.').flatMap((part) => part.split(/(?=[A-Z])/));
}

/** Pure. Reads the agent's own settings: flag before environment before file. */
export function readSettings(input: SettingsInput): SettingsRead {
  const given = givenOf(input);
  const { base, mistakes } = baseOf(input);
  if (base === undefined) return { diagnostics: [...mistakes, ...given.diagnostics] };
  const located = overlaid(base, given.values);
  const { value, diagnostics } = check(located, Settings);
  const all = [...mistakes, ...given.diagnostics, ...diagnostics];
  if (value === undefined) return { diagnostics: all.map((one) => withFile(one, input.file)) };
  const refused = [
    ...repositoryMistakes(value, input.local, located),
    ...leaseMistakes(value, located),
  ];
  if (all.length + refused.length > 0) return { diagnostics: [...all, ...refused] };
  return { settings: value, diagnostics: [] };
}

/** Without a file everything is missing, and that one thing is the reason. */
function withFile(diagnostic: Diagnostic, file: SettingsInput['file']): Diagnostic {
  if (file === undefined || file.text !== undefined || diagnostic.code !== 'missing-key') {
    return diagnostic;
  }
  const hint = `there is no file ${file.path}: write it, or name another with \`--settings\``;
  return { ...diagnostic, hint };
}

/** The file without what the schema says about it: that is checked when everything is laid together. */
function baseOf({ file }: SettingsInput): {
  readonly base?: Located;
  readonly mistakes: readonly Diagnostic[];
} {
  // A file of comments alone says nothing, and that is fine: the rest may come from elsewhere.
  if (file?.text === undefined || /^(?:[ \t]*(?:#.*)?(?:\r?\n|$))*$/.test(file.text)) {
    const place = placeOfFile(file?.path ?? 'settings');
    const base = { file: place.file, value: {}, place: () => place, text: () => undefined };
    return { base, mistakes: [] };
  }
  const { located, diagnostics } = readDocument(file.path, file.text, {
    schema: Settings,
    unsupported: SETTINGS_UNSUPPORTED,
    extensions: 'top',
  });
  if (located === undefined) return { mistakes: diagnostics };
  return {
    base: located,
    mistakes: diagnostics.filter(({ code }) => code === 'unsupported-key'),
  };
}

interface Given {
  readonly value: string;
  /** `UNDERSTUDY_REPOSITORY_URL` or `--repository-url`. */
  readonly source: string;
}

function givenOf({ environment, flags }: SettingsInput): {
  readonly values: ReadonlyMap<string, Given>;
  readonly diagnostics: readonly Diagnostic[];
} {
  const values = new Map<string, Given>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith(PREFIX)) continue;
    const key = variables.get(name);
    if (key !== undefined) values.set(key, { value, source: name });
    else {
      const meant = suggest(name, variables.keys());
      diagnostics.push({
        severity: 'error',
        code: 'unknown-key',
        message: `the environment variable \`${name}\` is not a setting`,
        ...(meant === undefined ? {} : { hint: `did you mean \`${meant}\`?` }),
      });
    }
  }
  for (const [name, key] of settingFlags) {
    const value = flags[key];
    if (value !== undefined) values.set(key, { value, source: `--${name}` });
  }
  return { values, diagnostics };
}

const NUMBERS = new Set(['atOnce', 'repository.maxFiles', 'repository.maxBytes']);

/** The file's value with single values replaced; a mistake in one of them is shown at its name, not in the file. */
function overlaid(base: Located, given: ReadonlyMap<string, Given>): Located {
  let { value } = base;
  for (const [key, { value: text }] of given) {
    const number = NUMBERS.has(key) && /^\d{1,15}$/.test(text);
    value = placed(value, key.split('.'), number ? Number(text) : text);
  }
  return {
    file: base.file,
    value,
    place: (path, on): Place => {
      const source = given.get(path.join('.'))?.source;
      if (source === undefined) return base.place(path, on);
      return { file: source, line: 1, column: 1, length: 1, quoted: '' };
    },
    text: (path) => given.get(path.join('.'))?.value ?? base.text(path),
  };
}

function placed(value: unknown, [key, ...rest]: readonly string[], leaf: unknown): unknown {
  if (key === undefined) return leaf;
  const fields = new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}));
  fields.set(key, placed(fields.get(key), rest, leaf));
  return Object.fromEntries(fields);
}

/** Times that do not fit together: an agent with them could never act, or two would. */
function leaseMistakes({ lease }: Settings, located: Located): readonly Diagnostic[] {
  const problem = leaseProblem(leaseTimesOf(lease), SWARM_CALL_MS);
  if (problem === undefined) return [];
  const { key, why: message, hint } = problem;
  const place = located.place(['lease', ...key], 'value');
  return [{ severity: 'error', code: 'wrong-value', message, place, hint }];
}

/** What the source would refuse, said before anything is opened. */
function repositoryMistakes(
  { repository }: Settings,
  local: boolean,
  located: Located,
): readonly Diagnostic[] {
  const { url, ssh, https } = repository;
  const mistakes = followedProblems({ ...repository, local }).map(
    ([key, { refused, hint }]): Diagnostic => ({
      severity: 'error',
      code: 'wrong-value',
      message: `\`repository.${key}\` ${refused}`,
      // The line is not quoted: an address may hold a password.
      place: { ...located.place(['repository', key], 'value'), quoted: '' },
      ...(hint === undefined ? {} : { hint }),
    }),
  );
  const remote = readUrl(url, local);
  if ('refused' in remote) return mistakes;
  if (remote.transport === 'https') return [...mistakes, ...httpsMistakes(https ?? {}, located)];
  if (remote.transport !== 'ssh' || ssh !== undefined) return mistakes;
  const message = '`repository.ssh` with `keyFile` and `knownHostsFile` is needed for ssh';
  const place = located.place(['repository'], 'value');
  return [...mistakes, { severity: 'error', code: 'missing-key', message, place }];
}

/** A login that is not whole, or two of them. */
function httpsMistakes(https: HttpsSettings, located: Located): readonly Diagnostic[] {
  const read = readHttps(https);
  if (!('refused' in read)) return [];
  const { key, refused: message, hint } = read;
  const place = located.place(['repository', 'https', key], 'value');
  return [{ severity: 'error', code: 'wrong-value', message, place, hint }];
}
