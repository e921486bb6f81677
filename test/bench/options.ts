import { parseArgs } from 'node:util';

import type { StageOptions } from '../../agent/rehearsal/plan.ts';

/** What can be measured once everything is deployed. `loop`: `docker stack deploy`, which the others are held against. */
export const PARTS = ['no-op', 'one', 'all', 'plan', 'idle', 'loop'] as const;
export type Part = (typeof PARTS)[number];

/** What `npm run bench` was asked for. */
export interface Wanted {
  readonly stage: StageOptions;
  readonly stacks: number;
  /** How many stacks the loop deploys; its time for all of them is reckoned from that. */
  readonly sample: number;
  readonly parts: ReadonlySet<Part>;
  /** Databases and accounts in place of stacks. */
  readonly mysql: boolean;
  /** Subvolumes and keys in place of stacks. */
  readonly ceph: boolean;
  readonly json: boolean;
  readonly strict: boolean;
  readonly down: boolean;
  readonly help: boolean;
  /** Where CPU profiles of the agent are written, a file a part. */
  readonly profile?: string;
}

const STACKS = { usual: 650, max: 5_000 };
const SAMPLE = { usual: 40, max: 650 };

/** What `--help` prints. */
export const usage = `Usage: npm run bench -- [OPTIONS]

Raises one real engine, a Swarm of one drained manager, lets a real agent deploy many small stacks on it and measures:
each time beside a loop of \`docker stack deploy\` and beside the raw reads of the Engine API, in the same run. Needs
Linux and root. Nothing is installed, and everything is removed at the end.

  --stacks N         stacks of a service without replicas, a network, a config and a secret each (${String(STACKS.usual)})
  --sample N         stacks that the loop deploys; the rest is reckoned (${String(SAMPLE.usual)})
  --mysql            databases and accounts on a real MariaDB in place of stacks, with a password and a secret each;
                     beside single statements
  --ceph             subvolumes and clients on a real cluster of Ceph in place of stacks, with a key and a secret each;
                     beside a script that is run once for each
  --only LIST        of the measurements after the first deploy these only: ${PARTS.join(',')}
  --json             the figures as JSON
  --strict           end with 1 where a budget is missed
  --profile FOLDER   write CPU profiles of the agent there; its memory is then larger than without
  --name NAME        prefix of everything that is made (usb)
  --subnet A.B.C.0/24   the network of the engine (10.213.93.0/24)
  --packages FOLDER  where unpacked Debian packages are kept (.rehearsal/packages)
  --down             only remove what a run before left
  --help             this text

Exit codes: 0 done, 1 failed, or with --strict a budget is missed, 2 wrong use.
`;

/** Pure. Reads the arguments; a text says what is wrong with them. */
export function parseBench(args: readonly string[]): Wanted | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        stacks: { type: 'string' },
        sample: { type: 'string' },
        only: { type: 'string' },
        mysql: { type: 'boolean', default: false },
        ceph: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        profile: { type: 'string' },
        name: { type: 'string', default: 'usb' },
        subnet: { type: 'string', default: '10.213.93.0/24' },
        packages: { type: 'string' },
        down: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const stacks = countOf(values.stacks, STACKS);
    if (stacks === undefined) return `--stacks is a number from 1 to ${String(STACKS.max)}`;
    const sample = countOf(values.sample, SAMPLE);
    if (sample === undefined) return `--sample is a number from 1 to ${String(SAMPLE.max)}`;
    const parts = partsOf(values.only);
    if (typeof parts === 'string') return `--only knows no \`${parts}\`: ${PARTS.join(', ')}`;
    const { name, subnet, packages, profile, mysql, ceph, json, strict, down, help } = values;
    if (mysql && ceph) return 'either `--mysql` or `--ceph`, not both';
    const place = { name, subnet, managers: 1, workers: 0 };
    const shape = mysql ? ({ mysql: 'single' } as const) : {};
    const stage = { ...place, ...shape, ...(packages !== undefined && { packages }) };
    const rest = {
      mysql,
      ceph,
      json,
      strict,
      down,
      help,
      ...(profile !== undefined && { profile }),
    };
    return { stage, stacks, sample, parts, ...rest };
  } catch (cause) {
    return cause instanceof Error ? cause.message : 'the arguments could not be read';
  }
}

function countOf(
  text: string | undefined,
  { usual, max }: { readonly usual: number; readonly max: number },
): number | undefined {
  if (text === undefined) return usual;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= max ? count : undefined;
}

/** The parts of a list, or the first word that is none. */
function partsOf(list: string | undefined): ReadonlySet<Part> | string {
  if (list === undefined) return new Set(PARTS);
  const words = list.split(',').map((word) => word.trim());
  const parts = words.map((word) => PARTS.find((part) => part === word));
  const wrong = parts.indexOf(undefined);
  if (wrong >= 0) return words[wrong] ?? '';
  return new Set(parts.filter((part) => part !== undefined));
}
