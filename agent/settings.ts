import { SETTINGS_SCALARS, SETTINGS_UNSUPPORTED, Settings } from '../schemas/settings.ts';
import { check } from './core/check.ts';
import type { Diagnostic, Place } from './core/diagnostic.ts';
import { readDocument } from './core/document.ts';
import type { Located } from './core/parse.ts';
import { suggest } from './core/suggest.ts';

/** Where settings come from, the last one first in rank. */
export interface SettingsInput {
  /** Path and text of the settings file; absent where there is none. */
  readonly file?: { readonly path: string; readonly text: string };
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
  if (value === undefined) return { diagnostics: all };
  const address = addressMistake(value, input.local);
  if (address !== undefined) {
    const place = located.place(address.path, 'value');
    return { diagnostics: [...all, { severity: 'error', place, ...address.mistake }] };
  }
  return all.length > 0 ? { diagnostics: all } : { settings: value, diagnostics: [] };
}

/** The file without what the schema says about it: that is checked when everything is laid together. */
function baseOf({ file }: SettingsInput): {
  readonly base?: Located;
  readonly mistakes: readonly Diagnostic[];
} {
  // A file of comments alone says nothing, and that is fine: the rest may come from elsewhere.
  if (file === undefined || /^(?:[ \t]*(?:#.*)?(?:\r?\n|$))*$/.test(file.text)) {
    const place = { file: file?.path ?? 'settings', line: 1, column: 1, length: 1, quoted: '' };
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

interface AddressMistake {
  readonly path: readonly string[];
  readonly mistake: Pick<Diagnostic, 'code' | 'message' | 'hint'>;
}

function wrong(message: string, hint?: string): AddressMistake {
  return {
    path: ['repository', 'url'],
    mistake: { code: 'wrong-value', message, ...(hint === undefined ? {} : { hint }) },
  };
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const SSH = /^ssh:\/\/(?:([^@/:]*)@)?(\[[0-9A-Fa-f:]+\]|[^@/:]*)(?::(\d{1,5}))?(\/.*)$/;
const SHORT = /^([^@/:]+)@(\[[0-9A-Fa-f:]+\]|[^@/:]+):(.*)$/;

function addressMistake({ repository }: Settings, local: boolean): AddressMistake | undefined {
  const { url, ssh } = repository;
  if (/^https:\/\//i.test(url)) {
    const hint = 'use `ssh://git@host/path`';
    const mistake = {
      code: 'unsupported-key',
      message: '`https://` is not supported by this version yet',
      hint,
    } as const;
    return { path: ['repository', 'url'], mistake };
  }
  if (url.startsWith('file:///') || url.startsWith('/')) {
    if (!local) return wrong('a repository on this machine is followed with `--local` only');
    const odd = /[\p{Cc}\\]/u.test(url) || url.split('/').includes('..');
    return odd ? wrong('the folder may not hold `..`, `\\` or control characters') : undefined;
  }
  const [, user, host, rest, port] = addressParts(url);
  const fine =
    (user === undefined || USER.test(user)) &&
    host !== undefined &&
    (host.startsWith('[') || HOST.test(host)) &&
    rest !== undefined &&
    /^\/?[A-Za-z0-9_.~][^\s\p{Cc}\\]*$/u.test(rest) &&
    !rest.split('/').some((part) => part === '..' || part.startsWith('-')) &&
    (port === undefined || (Number(port) > 0 && Number(port) <= 65_535));
  if (!fine) {
    const hint = 'write `ssh://git@host/path` or `git@host:path`';
    return wrong('this is not the address of a Git repository', hint);
  }
  if (ssh !== undefined) return undefined;
  const message = '`repository.ssh` with `keyFile` and `knownHostsFile` is needed for ssh';
  return { path: ['repository'], mistake: { code: 'missing-key', message } };
}

/** Pure. User, host, path and port in a tuple, as far as the address has the form of one. */
function addressParts(url: string): readonly (string | undefined)[] {
  const long = SSH.exec(url);
  if (long !== null) return [url, long[1], long[2], long[4], long[3]];
  const short = SHORT.exec(url);
  return short === null ? [] : [url, short[1], short[2], short[3]];
}
