import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { Repository } from './git-support.ts';

/** The workflows of the template, run as a platform runs them: their own lines, a real repository, a platform that answers. */
const project = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
let top = '';

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-workflows-'));
  await mkdir(join(top, 'bin'));
  const tool = join(top, 'bin', 'understudy');
  await writeFile(tool, `#!/bin/sh\nexec '${process.execPath}' '${project}/agent/bin.mjs' "$@"\n`);
  await chmod(tool, 0o755);
});
afterAll(async () => rm(top, { recursive: true, force: true }));

interface Call {
  readonly method: string;
  readonly url: string;
  readonly token: string;
}

/** Comments of one pull request, as GitHub, Forgejo and GitLab keep them. */
class Platform {
  readonly comments = new Map<number, string>();
  readonly calls: Call[] = [];
  /** Somebody else's: may not be changed. */
  readonly foreign = new Set<number>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Platform> {
    const server = createServer();
    const platform = new Platform(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const token = String(headers.authorization ?? headers['private-token'] ?? '');
        platform.calls.push({ method, url, token });
        const [status, body] = platform.#answer(method, url, Buffer.concat(chunks).toString());
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return platform;
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `http://127.0.0.1:${String(address.port)}`;
  }

  #answer(method: string, url: string, text: string): [number, unknown] {
    const { pathname, searchParams } = new URL(url, 'http://platform');
    if (method === 'GET') {
      const all = [...this.comments].map(([id, body]) => ({ id, body }));
      const page = Number(searchParams.get('page') ?? 1);
      return [200, all.slice((page - 1) * 100, page * 100)];
    }
    const { body } = JSON.parse(text);
    if (method === 'POST') {
      const id = this.comments.size + 1;
      this.comments.set(id, body);
      return [201, { id }];
    }
    const id = Number(pathname.split('/').at(-1));
    if (!this.comments.has(id) || this.foreign.has(id)) return [403, {}];
    this.comments.set(id, body);
    return [200, { id }];
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A step's lines with its own variables. */
interface Step {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

async function stepsOf(file: string): Promise<readonly Step[]> {
  const workflow = parse(await readFile(join(project, 'repo-template', file), 'utf8'));
  if (file.startsWith('.gitlab')) {
    const lines: string[] = workflow.understudy.script;
    return [{ script: lines.join('\n'), env: {} }];
  }
  const steps: { run?: string; env?: Record<string, string> }[] = workflow.jobs.plan.steps;
  return steps.flatMap(({ run: script, env = {} }) =>
    script === undefined ? [] : [{ script, env }],
  );
}

/** A clone as the platform's checkout leaves it, with a change on a branch of its own. */
async function checkout(name: string): Promise<Repository> {
  const origin = new Repository(join(top, `${name}-origin`));
  await cp(join(project, 'repo-template'), origin.folder, { recursive: true });
  origin.commit('first');
  const work = new Repository(join(top, `${name}-work`));
  work.git(['remote', 'add', 'origin', origin.folder]);
  work.git(['fetch', '-q', 'origin']);
  work.git(['checkout', '-q', '-B', 'change', 'origin/main']);
  work.write('stacks/hello/index.html', '<h1>Another</h1>\n');
  work.commit('change');
  return work;
}

interface Ran {
  readonly codes: readonly number[];
  readonly out: string;
}

async function runSteps(
  steps: readonly Step[],
  work: Repository,
  around: Readonly<Record<string, string>>,
): Promise<Ran> {
  const codes: number[] = [];
  let out = '';
  for (const { script, env } of steps) {
    const own = Object.entries(env).map(([key, value]) => [key, around[value] ?? value]);
    const variables = {
      PATH: `${join(top, 'bin')}:${join(process.execPath, '..')}:/usr/bin:/bin`,
      HOME: top,
      ...around,
      ...Object.fromEntries(own),
    };
    const ended = await run('/bin/sh', ['-e', '-c', script], { cwd: work.folder, env: variables })
      .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }))
      .catch((error: { code: number; stdout: string; stderr: string }) => error);
    codes.push(ended.code);
    out += ended.stdout + ended.stderr;
  }
  return { codes, out };
}

const variablesOf = (platform: Platform, summary: string, base: string) => ({
  GITHUB_BASE_REF: 'main',
  GITHUB_API_URL: platform.url,
  GITHUB_REPOSITORY: 'owner/infra',
  RUNNER_TEMP: top,
  GITHUB_STEP_SUMMARY: summary,
  '${{ github.token }}': 'the-token',
  '${{ github.event.pull_request.number }}': '7',
  CI_API_V4_URL: platform.url,
  CI_PROJECT_ID: '42',
  CI_MERGE_REQUEST_IID: '7',
  CI_MERGE_REQUEST_DIFF_BASE_SHA: base,
  UNDERSTUDY_COMMENT_TOKEN: 'the-token',
});

const files = [
  ['.github/workflows/understudy.yaml', '/repos/owner/infra/issues/7/comments', 'PATCH'],
  ['.forgejo/workflows/understudy.yaml', '/repos/owner/infra/issues/7/comments', 'PATCH'],
  ['.gitlab-ci.yml', '/projects/42/merge_requests/7/notes', 'PUT'],
] as const;

// Several whole programs one after another.
describe.each(files)('%s', { timeout: 300_000 }, (file, list, update) => {
  it('comments once, keeps that comment up to date, and fails where the change is invalid', async () => {
    const steps = await stepsOf(file);
    const work = await checkout(file.replaceAll('/', '-'));
    const base = work.git(['rev-parse', 'origin/main']);
    const platform = await Platform.open();
    platform.comments.set(1, 'a person\n<!-- understudy:plan -->');
    platform.comments.set(2, '<!-- understudy:plan -->\nwritten by somebody else');
    platform.foreign.add(2);
    const summary = join(top, `${base}-summary.md`);
    await writeFile(summary, '');
    const around = variablesOf(platform, summary, base);

    const first = await runSteps(steps, work, around);
    expect(first.codes.every((code) => code === 0)).toBe(true);
    expect([...platform.comments.keys()]).toEqual([1, 2, 3]);
    expect(platform.comments.get(3)).toMatch(
      /^<!-- understudy:plan -->\n### Understudy plan: 2 changed, 2 restarts\n/,
    );
    const last = platform.calls.at(-1);
    expect([last?.method, last?.url, last?.token]).toEqual([
      'POST',
      list,
      expect.stringMatching(/^(?:Bearer )?the-token$/),
    ]);

    work.write('stacks/hello/compose.yaml', 'services:\n  web:\n    imge: x\n');
    work.commit('a mistake');
    const second = await runSteps(steps, work, around);
    expect(second.codes.at(-1)).toBe(3);
    expect(second.codes.slice(0, -1).every((code) => code === 0)).toBe(true);
    expect(second.out).toContain('unknown-key');
    expect(platform.comments.size).toBe(3);
    expect(platform.comments.get(3)).toContain('### Understudy plan: invalid, ');
    expect(platform.calls.at(-1)?.method).toBe(update);
    const inSummary = await readFile(summary, 'utf8');
    expect(inSummary.includes('Understudy plan')).toBe(!file.startsWith('.gitlab'));
    await platform.close();
  });
});

describe('the comment', () => {
  const comment = join(project, 'repo-template/ci/plan-comment.mjs');

  it('is found on any page', async () => {
    const platform = await Platform.open();
    for (let id = 1; id <= 250; id += 1) platform.comments.set(id, 'talk');
    platform.comments.set(230, '<!-- understudy:plan -->\nold');
    const plan = join(top, 'paged.md');
    await writeFile(plan, '<!-- understudy:plan -->\nnew');
    const env = { ...variablesOf(platform, '', ''), TOKEN: 't', NUMBER: '7' };
    await run(process.execPath, [comment, 'github', plan], { env });
    expect(platform.comments.get(230)).toBe('<!-- understudy:plan -->\nnew');
    expect(platform.comments.size).toBe(250);
    await platform.close();
  });

  it('is left out without a token, and that is no failure', async () => {
    const { stdout } = await run(process.execPath, [comment, 'gitlab', 'plan.md'], { env: {} });
    expect(stdout).toBe('there is no token, so there is no comment\n');
  });
});

describe('rights', () => {
  it('are those of a comment, and no workflow runs with secrets on what a stranger wrote', async () => {
    for (const [file] of files) {
      const text = await readFile(join(project, 'repo-template', file), 'utf8');
      expect(text).not.toContain('pull_request_target');
    }
    const { permissions } = parse(
      await readFile(join(project, 'repo-template/.github/workflows/understudy.yaml'), 'utf8'),
    );
    expect(permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
  });
});
