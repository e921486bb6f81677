import { normalizeImage } from '../core/image.ts';
import type { Anew } from '../core/lock-plan.ts';
import { HELP, parsedArguments } from './arguments.ts';

/** `understudy lock --help`. */
export const lockUsage = `usage: understudy lock [FOLDER] [options]
       understudy lock FOLDER --update [IMAGE...]

Writes images.lock.yaml: the digest that the tag of each image has in its registry now. Images that are there
keep theirs, new ones are added, those that no stack of any environment has any more are dropped. Needs no cluster.
Logins are those of \`docker login\`. Deploying asks no registry what a tag stands for: it takes what stands there.

  --environment NAME        look at this environment only; then nothing is dropped
  --update                  ask anew for all images that are there, or for the IMAGEs
  --check                   ask nothing and write nothing: say what is missing or unused, and end with 4
  --insecure-registry HOST  speak plain http to this registry, and send it the login that there is; may be repeated
  --json                    one object
  --no-colour               plain text
  --help                    this text

An authority of your own goes into the environment variable NODE_EXTRA_CA_CERTS.
Exit codes: 0 done, 1 a registry did not give a digest, or a file could not be read or written, 2 wrong use,
3 the repository is invalid, 4 \`--check\` found a difference.
`;

/** What the arguments ask for. */
export interface LockWanted {
  readonly folder: string;
  readonly environment?: string;
  readonly check: boolean;
  readonly anew: Anew;
  /** Hosts, lower case. */
  readonly insecure: ReadonlySet<string>;
  readonly json: boolean;
  readonly colour: boolean;
}

const OPTIONS = {
  environment: { type: 'string' },
  update: { type: 'boolean' },
  check: { type: 'boolean' },
  'insecure-registry': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'no-colour': { type: 'boolean' },
  ...HELP,
} as const;

const HOST = /^[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:]+\](?::\d{1,5})?$/;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. `colour`: of the terminal. */
export function lockWantedOf(
  args: readonly string[],
  colour: boolean,
): LockWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [folder = '.', ...images] = positionals;
  const { check = false, update = false, environment } = values;
  if (check && update)
    return { wrong: '`--check` asks nothing, so it does not go with `--update`' };
  const [first] = images;
  if (first !== undefined && !update) {
    return { wrong: `one folder only, not \`${first}\` as well; images belong to \`--update\`` };
  }
  const read = images.map((image) => ({ image, read: normalizeImage(image) }));
  const anew = new Set<string>();
  for (const { image, read: one } of read) {
    if ('problem' in one) return { wrong: `\`${image}\`: ${one.problem}` };
    anew.add(one.familiar);
  }
  const insecure = new Set((values['insecure-registry'] ?? []).map((host) => host.toLowerCase()));
  const strange = [...insecure].find((host) => !HOST.test(host) || host === 'docker.io');
  if (strange !== undefined) {
    return { wrong: `\`--insecure-registry\` takes a host such as \`10.0.0.5:5000\`, not \`${strange}\`` }; // prettier-ignore
  }
  return {
    folder,
    ...(environment !== undefined && { environment }),
    check,
    anew: update ? (anew.size === 0 ? 'all' : anew) : 'none',
    insecure,
    json: values.json === true,
    colour: colour && values['no-colour'] !== true,
  };
}
