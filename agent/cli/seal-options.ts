import type { SealRules } from '../core/sops/encrypt.ts';
import type { SopsFormat } from '../core/sops/text.ts';
import { AGE_KEY, AGE_KEY_USAGE, ageKeyFile } from './age-key.ts';
import { HELP, parsedArguments } from './arguments.ts';

/** Verbs about encrypted files, which need neither an agent nor a Swarm. */
export type SealVerb = 'keygen' | 'encrypt' | 'decrypt' | 'edit';

/** `understudy keygen --help` and so on. */
export const sealUsage: Readonly<Record<SealVerb, string>> = {
  keygen: `Usage: understudy keygen FILE [OPTIONS]

Makes a key: writes the age identity to FILE, which only you can read, and prints its recipient, for which files are
encrypted. A file that is there is left alone.

  --json              {"file", "recipient"}
  --help              this text

Exit codes: 0 done, 1 failed, 2 wrong use.
`,
  encrypt: `Usage: understudy encrypt FILE [OPTIONS]

Encrypts a file as SOPS does, for age recipients: YAML, JSON and .env value by value, anything else as a whole. \`sops\`
opens it.

  --recipient AGE1    for whom, more than once; default: what creation_rules of the nearest .sops.yaml say
  --type TYPE         yaml, json, dotenv or binary; default: by the name of FILE
  --encrypted-regex REGEX
                      encrypt only what is below keys that fit, such as '^environment$'; default: what the rule of .sops.yaml
                      says, else all but keys that end in _unencrypted
  --mac-only-encrypted
                      let what is in clear be changed without the key: the digest of the file is over what is encrypted alone
  --output PATH       write there; default: the standard output
  --in-place          write over FILE
  --help              this text

Exit codes: 0 done, 1 failed, 2 wrong use, 3 the file cannot be encrypted.
`,
  decrypt: `Usage: understudy decrypt FILE [OPTIONS]

Decrypts a file that SOPS or \`understudy encrypt\` encrypted for age.

  --output PATH       write there, readable by you alone; a file that is there is left alone; default: standard output
${AGE_KEY_USAGE}
  --help              this text

Exit codes: 0 done, 1 failed, 2 wrong use, 3 the file is damaged, or no key opens it.
`,
  edit: `Usage: understudy edit FILE [OPTIONS]

Opens an encrypted file in $VISUAL or $EDITOR and encrypts it again with the same key: what you did not change keeps its
ciphertext. What is in clear lies in memory (/dev/shm) where the machine has that, and is removed.

${AGE_KEY_USAGE}
  --help              this text

Exit codes: 0 done or nothing changed, 1 failed, 2 wrong use, 3 the file is damaged, or no key opens it.
`,
};

const FORMATS = ['yaml', 'json', 'dotenv', 'binary'] as const;

/** What is wanted of a verb. What a verb does not have is absent. */
export interface SealWanted {
  readonly file: string;
  readonly recipients: readonly string[];
  /** What of it is encrypted; empty: as `.sops.yaml` says. */
  readonly rules: SealRules;
  readonly format?: SopsFormat;
  readonly output?: string;
  readonly inPlace: boolean;
  readonly json: boolean;
  readonly keyFile?: string;
}

const OPTIONS = {
  keygen: { json: { type: 'boolean' }, ...HELP },
  encrypt: {
    recipient: { type: 'string', multiple: true },
    type: { type: 'string' },
    'encrypted-regex': { type: 'string' },
    'mac-only-encrypted': { type: 'boolean' },
    output: { type: 'string' },
    'in-place': { type: 'boolean' },
    ...HELP,
  },
  decrypt: { output: { type: 'string' }, ...AGE_KEY, ...HELP },
  edit: { ...AGE_KEY, ...HELP },
} as const;

/** Pure. What the arguments ask for, or what is wrong with them in one sentence. */
export function sealWantedOf(
  verb: SealVerb,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): SealWanted | { readonly wrong: string } {
  const parsed = parsedArguments(args, OPTIONS[verb]);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { positionals } = parsed;
  const values = new Map<string, unknown>(Object.entries(parsed.values));
  const [file, second] = positionals;
  if (file === undefined) return { wrong: 'name the file' };
  if (second !== undefined) return { wrong: `one file only, not \`${second}\` as well` };
  const [type, output, key, regex] = ['type', 'output', 'age-key-file', 'encrypted-regex'].map((name) => text(values.get(name))); // prettier-ignore
  const format = FORMATS.find((one) => one === type);
  if (type !== undefined && format === undefined) {
    return { wrong: `\`--type\` is one of ${FORMATS.join(', ')}` };
  }
  const inPlace = values.get('in-place') === true;
  if (inPlace && output !== undefined) {
    return { wrong: '`--output` and `--in-place` do not go together' };
  }
  const recipients = values.get('recipient');
  const keyFile = ageKeyFile(key, environment);
  return {
    file,
    recipients: Array.isArray(recipients) ? recipients.map(String) : [],
    rules: {
      ...(regex !== undefined && { encrypted_regex: regex }),
      ...(values.get('mac-only-encrypted') === true && { mac_only_encrypted: true }),
    },
    inPlace,
    json: values.get('json') === true,
    ...(format !== undefined && { format }),
    ...(output !== undefined && { output }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
