import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';

import { systemClock } from '../../agent/clock.ts';
import type { FieldDiff, Rendered } from '../../agent/core/kind.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import type { ComposeResult } from '../../agent/providers/stack/compose/render.ts';
import { diffStack } from '../../agent/providers/stack/diff.ts';
import { DIGEST_LABEL } from '../../agent/providers/stack/names.ts';
import { indexState, type StackObserved } from '../../agent/providers/stack/observed.ts';
import { stackProvider } from '../../agent/providers/stack/provider.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import type { Swarm } from '../../agent/providers/stack/swarm.ts';
import { digestKey, unit } from '../fakes/stack.ts';
import { differences } from './compare.ts';
import { Engine } from './engine.ts';
import type { Bodies, Given } from './folder.ts';
import { CHECKOUT, DEEP, readCases, readGiven, readStubs, readVariables } from './folder.ts';
import type { Verdict } from './judge.ts';
import { judge, warnings } from './judge.ts';
import type { Judged } from './offline.ts';
import { convert, HOME } from './ours.ts';

/** With which CLI, on which engine. */
export interface LiveOptions {
  /** The program. */
  readonly docker: string;
  /** Path of the Unix socket of a manager whose nodes are all drained. */
  readonly socket: string;
}

const DEPLOY_MS = 120_000;
const EXTERNALS_MAX = 80;
const never = new AbortController().signal;

/** Deploys every stack file of a folder with the CLI and with our client, and compares what the engine keeps of them. */
export async function judgeLive(folder: string, options: LiveOptions): Promise<readonly Judged[]> {
  const engine = new Engine(options.socket);
  await engine.assertDrained();
  const judged: Judged[] = [];
  for (const one of await givenIn(folder)) {
    const verdict = await judgeOne(one.given, engine, options.docker);
    judged.push({ id: one.given.stack, files: one.files, verdict });
  }
  return judged;
}

/** The cases of a folder with a manifest; else every YAML file in it, with `NAME.env` and with everything beside it. */
async function givenIn(folder: string) {
  if (existsSync(join(folder, 'manifest.tsv'))) {
    return readCases(folder).map((one) => ({ files: one.files, given: readGiven(folder, one) }));
  }
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted();
  const beside = readStubs(folder);
  return names.map((name, index) => {
    const bare = basename(name, extname(name));
    const text = readFileSync(join(folder, name), 'utf8');
    const given: Given = {
      stack: `parity${String(index)}`,
      texts: [{ file: `${DEEP}/${name}`, text }],
      variables: readVariables(join(folder, `${bare}.env`)),
      stubs: new Map([...beside, ...readStubs(join(folder, `${bare}.d`))]),
    };
    return { files: [name], given };
  });
}

async function judgeOne(given: Given, engine: Engine, docker: string): Promise<Verdict> {
  const outside: string[] = [];
  await engine.remove(given.stack);
  try {
    const theirs = await deployed(given, engine, docker, outside);
    const ours = convert(given);
    const left =
      theirs.accepted && ours.result
        ? await takenOver(placedIn(theirs.work, ours.result), given, engine)
        : [];
    await engine.remove(given.stack);
    if (!theirs.accepted || ours.result === undefined) {
      // Only the engine knows some mistakes: then it is asked about ours, too.
      const isRefused = ours.result !== undefined && (await applied(ours.result, given, engine));
      if (typeof isRefused === 'string') return { kind: 'equal', lines: [] };
      return judge(ours, theirs);
    }
    const refusal = await applied(ours.result, given, engine);
    if (refusal !== undefined) return { kind: 'wrongly refused', lines: [`engine: ${refusal}`] };
    const asked = subnetsIn(ours.result, given);
    const lines = [
      ...differences(plain(await engine.stored(given.stack), asked), plain(theirs.stored, asked)),
      ...warnings(ours.diagnostics, theirs.messages),
      ...left,
    ];
    return { kind: lines.length === 0 ? 'equal' : 'different', lines };
  } finally {
    await engine.remove(given.stack, outside);
  }
}

/** Deploys with the CLI; what it misses outside of the stack is made first and noted in `outside`. */
async function deployed(given: Given, engine: Engine, docker: string, outside: string[]) {
  const work = await mkdtemp(join(tmpdir(), 'parity-'));
  try {
    const folder = await laidOut(given, work);
    const files = given.texts.flatMap(({ file }) => ['-c', basename(file)]);
    const command = ['stack', 'deploy', ...files, '--resolve-image', 'never', given.stack];
    for (let left = EXTERNALS_MAX; ; left -= 1) {
      const { code, messages } = await run([docker, '-H', `unix://${engine.socket}`, ...command], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME, ...given.variables },
      });
      if (code === 0) {
        const text = JSON.stringify(await engine.stored(given.stack)).replaceAll(work, CHECKOUT);
        const stored: Bodies = JSON.parse(text);
        return { accepted: true, messages, stored, work } as const;
      }
      const [kind, name] = missingIn(messages);
      if (kind === undefined || name === undefined || left <= 0) {
        return { accepted: false, messages } as const;
      }
      outside.push(await engine.make(kind, name));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What an attempt to deploy says is missing outside of the stack. */
function missingIn(
  messages: string,
): readonly [('network' | 'secret' | 'config' | undefined)?, (string | undefined)?] {
  const network = /network "([^"]+)" is declared as external, but could not be found/.exec(
    messages,
  );
  if (network !== null) return ['network', network[1]];
  const secret = /^secret not found: (.+)$/m.exec(messages);
  if (secret !== null) return ['secret', secret[1]];
  const config = /^config not found: (.+)$/m.exec(messages);
  return config === null ? [] : ['config', config[1]];
}

async function laidOut({ texts, stubs }: Given, work: string): Promise<string> {
  for (const [path, bytes] of stubs) {
    await mkdir(join(work, dirname(path)), { recursive: true });
    await writeFile(join(work, path), bytes);
  }
  await mkdir(join(work, DEEP), { recursive: true });
  for (const { file, text } of texts) await writeFile(join(work, file), text);
  return join(work, DEEP);
}

/** What we would change of what the CLI deployed: secrets alone, as nobody can see whether theirs have our content. */
async function takenOver(
  result: ComposeResult,
  { stack }: Given,
  engine: Engine,
): Promise<readonly string[]> {
  const swarm = openSwarm({ socket: engine.socket }, systemClock);
  try {
    const { operations, blocked } = diffStack(...(await compared(result, stack, swarm)));
    return [
      ...operations
        .filter(({ call, fields }) => !call.op.startsWith('secret-') && !isOfSecrets(fields))
        .map(
          ({ verb, target, fields }) => `take-over: ${verb} ${target} ${JSON.stringify(fields)}`,
        ),
      ...blocked.map(({ target, why }) => `take-over: ${target} blocked: ${why}`),
    ];
  } finally {
    swarm.close();
  }
}

/** With its relative binds where the CLI had them. */
function placedIn(work: string, result: ComposeResult): ComposeResult {
  const text = JSON.stringify(result.services).replaceAll(CHECKOUT, work);
  return { ...result, services: JSON.parse(text) };
}

function isOfSecrets(fields: readonly FieldDiff[]): boolean {
  return fields.length > 0 && fields.every(({ path }) => path.includes('.ContainerSpec.Secrets.'));
}

/** The stack that we want, and what is there. */
async function compared(
  result: ComposeResult,
  stack: string,
  swarm: Swarm,
): Promise<readonly [Rendered<StackSpec>, StackObserved]> {
  const seen = await swarm.observe(never);
  if (seen.status !== 'ok') throw new Error(`the engine cannot be observed: ${seen.why}`);
  const wanted = { ...unit({ name: stack, ...result }), id: `stack/${stack}` as const };
  return [wanted, indexState(seen.value, digestKey)];
}

/** Applies our result with our own client; the first refusal, if there is one. */
async function applied(
  result: ComposeResult,
  { stack }: Given,
  engine: Engine,
): Promise<string | undefined> {
  const swarm = openSwarm({ socket: engine.socket }, systemClock);
  try {
    const [wanted, observed] = await compared(result, stack, swarm);
    const { operations, blocked } = diffStack(wanted, observed);
    const [first] = blocked;
    if (first !== undefined) return JSON.stringify(first);
    const format = { name: '', parse: () => ({ status: 'missing' }) as const, make: () => '' };
    const caller = stackProvider(swarm, format).caller(observed);
    for (const { call } of operations) {
      const outcome = await caller.call(call, never);
      if (outcome.status !== 'ok') return outcome.why;
    }
    return undefined;
  } finally {
    swarm.close();
  }
}

/** Subnets that are asked for, by us or as far as the text has them; the engine gives out all others, each time anew. */
function subnetsIn({ networks }: ComposeResult, { texts }: Given): (subnet: string) => boolean {
  const own = Object.values(networks).flatMap(({ IPAM }) => IPAM?.Config ?? []);
  return (subnet) =>
    own.some((one) => one.Subnet === subnet) || texts.some(({ text }) => text.includes(subnet));
}

/** Without the labels that are ours alone, and without subnets that the engine gave out. */
function plain(bodies: Bodies, asked: (subnet: string) => boolean): unknown {
  return JSON.parse(JSON.stringify(bodies), (key, value) => {
    if (key === DIGEST_LABEL) return undefined;
    if (key !== 'Config' || !Array.isArray(value)) return value;
    return value.filter(({ Subnet }) => Subnet === undefined || asked(Subnet));
  });
}

interface Ended {
  readonly code: number | null;
  /** What it wrote to its second channel. */
  readonly messages: string;
}

async function run(
  [file = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const child = spawn(file, args, {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.timeout(DEPLOY_MS),
  });
  let messages = '';
  child.stderr.on('data', (text: Buffer) => (messages += text.toString('utf8')));
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, messages }));
  });
}
