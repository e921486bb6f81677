import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

import { parseYaml } from '../core/parse.ts';
import { RULES, type SealRules } from '../core/sops/encrypt.ts';

/** For whom a file is encrypted and what of it, or why nobody knows. */
export type Recipients =
  | { readonly recipients: readonly string[]; readonly rules: SealRules }
  | { readonly wrong: string };

const NAME = '.sops.yaml';

/**
 * What `creation_rules` of the nearest .sops.yaml above a file say: the age recipients of the first rule whose
 * `path_regex` fits, and what it has encrypted. Nothing else of it is looked at.
 */
export async function recipientsFor(file: string, signal: AbortSignal): Promise<Recipients> {
  const path = resolve(file);
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const text = await readText(join(folder, NAME), signal);
    if (text !== undefined) return recipientsIn(text, relative(folder, path));
    if (folder === dirname(folder)) break;
  }
  return { wrong: `name a recipient with \`--recipient\`, or write one into ${NAME}` };
}

async function readText(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await readFile(path, { encoding: 'utf8', signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

/** Pure. The same of one text; `file`: from the folder in which it lies. */
export function recipientsIn(text: string, file: string): Recipients {
  const [document] = parseYaml(NAME, text).documents;
  const rules = field(document?.value, 'creation_rules');
  if (!Array.isArray(rules)) return { wrong: `${NAME} has no \`creation_rules\`` };
  for (const rule of rules) {
    if (!fits(field(rule, 'path_regex'), file)) continue;
    const [group] = listOf(field(rule, 'key_groups'));
    const recipients = [field(rule, 'age'), field(group, 'age')].flatMap(recipientsOf);
    if (recipients.length > 0) return { recipients, rules: rulesIn(rule) };
    return { wrong: `the rule of ${NAME} that fits ${file} names no age recipient` };
  }
  return { wrong: `no rule of ${NAME} fits ${file}` };
}

function rulesIn(rule: unknown): SealRules {
  const written = RULES.flatMap((key): [string, string][] => {
    const value = field(rule, key);
    return typeof value === 'string' ? [[key, value]] : [];
  });
  const only = field(rule, 'mac_only_encrypted') === true;
  return { ...Object.fromEntries(written), ...(only && { mac_only_encrypted: true }) };
}

function fits(regex: unknown, file: string): boolean {
  if (regex === undefined || regex === '') return true;
  if (typeof regex !== 'string') return false;
  try {
    return new RegExp(regex, 'u').test(file);
  } catch {
    return false;
  }
}

function recipientsOf(written: unknown): readonly string[] {
  const texts = typeof written === 'string' ? written.split(',') : listOf(written).map(String);
  return texts.map((one) => one.trim()).filter((one) => one !== '');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(key);
}
