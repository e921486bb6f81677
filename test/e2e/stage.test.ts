import { spawn } from 'node:child_process';
import { access, cp, mkdtemp, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrinter } from '../../agent/cli/printer.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { readPidFile } from '../../agent/rehearsal/processes.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { attachStage, lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';

// A stage of its own beside whatever else runs: another name, another network.
const options = { name: 'usx', subnet: '10.213.79.0/24' };
const place = ['--name', options.name, '--subnet', options.subnet];
// Servers have tests of their own; the last one here has what a person gets who says nothing.
const flags = [...place, '--mysql', 'none'];
const folder = `/var/lib/understudy-rehearsal/${options.name}`;
const never = new AbortController().signal;
const said: string[] = [];
const io = {
  out: (text: string) => void said.push(text),
  err: (text: string) => void said.push(text),
  colour: false,
};
const print = createPrinter(io, () => performance.now());
const node = join(projectFolder, 'node_modules/.bin/node');

/** Everything on the machine that bears the stage's name, found by other means than the stage itself uses. */
async function inventory(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = async (file: string): Promise<string> =>
      await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const state = /\) (\S)/.exec(await read('stat'))?.[1];
    if (state === undefined || state === 'Z' || Number(pid) === process.pid) continue;
    const whole = [await read('cmdline'), await read('environ'), await read('cgroup')].join('\n');
    // A process of another stage has a copy of the machine's mounts; what counts is what lies in our folder.
    const mounts = (await read('mountinfo')).split('\n').filter((line) => line.includes(folder));
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (
      `${whole}${cwd}`.includes(folder) ||
      whole.includes(`understudy-${options.name}/`) ||
      mounts.length > 0
    ) {
      found.push(`process ${pid} ${(await read('cmdline')).replaceAll('\0', ' ')}`);
    }
  }
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  found.push(
    ...mounts
      .filter((line) => line.includes(folder) || line.includes(`/${options.name}-`))
      .map((line) => `mount ${line}`),
  );
  const links = (await readFile('/proc/net/dev', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(':')[0] ?? '');
  found.push(
    ...links.filter((link) => link.startsWith(options.name)).map((link) => `link ${link}`),
  );
  for (const place of ['/run/netns', '/var/lib/understudy-rehearsal', ...(await cgroupMounts())]) {
    const names = await readdir(place).catch(() => []);
    found.push(
      ...names.filter((name) => name.includes(options.name)).map((name) => join(place, name)),
    );
  }
  return found;
}

/** What of the machine itself must be as it was. */
async function machine(): Promise<readonly string[]> {
  const files = [
    '/etc/passwd',
    '/etc/group',
    '/etc/hosts',
    '/etc/resolv.conf',
    '/proc/sys/net/ipv4/ip_forward',
    '/var/lib/dpkg/status',
  ];
  const texts = await Promise.all(
    files.map(async (file) => await readFile(file, 'utf8').catch(() => 'none')),
  );
  const folders = await Promise.all(
    ['/etc', '/var/lib', '/usr/bin'].map(async (place) => (await readdir(place)).join(' ')),
  );
  const rest = folders.map((names) =>
    names.replace(/understudy-rehearsal|netns/g, '').replace(/ +/g, ' '),
  );
  // An engine that is killed leaves what it wrote for a moment.
  const temporary = (await readdir('/tmp')).filter((name) =>
    /^(runc|containerd|docker)/.test(name),
  );
  return [...texts, ...rest, ...temporary];
}

async function cgroupMounts(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

/** Runs a program until it ends or until `stop`, asked after every piece of output, says to kill it. */
async function runProgram(
  command: readonly string[],
  stop: (output: string) => boolean,
  cwd = projectFolder,
) {
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (stop(output)) child.kill('SIGKILL');
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, output };
}

async function page(address: string, port: number): Promise<string> {
  return await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => `${answer.status} ${await answer.text()}`,
    () => 'no answer',
  );
}

/** Runs `./rehearse` and sends a signal as soon as it says `moment`. */
async function interrupt(moment: string) {
  const child = spawn('./rehearse', flags, {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let sent = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (sent || !output.includes(moment)) return;
      sent = true;
      child.kill('SIGINT');
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, output };
}

/** The page as soon as it is answered with that status. */
async function pageOnce(address: string, port: number, status: string): Promise<string> {
  let text = '';
  const answered = async (): Promise<boolean> => {
    text = await page(address, port);
    return text.startsWith(status);
  };
  await waitUntil(`status ${status}`, { deadlineMs: 120_000, everyMs: 20 }, answered, never);
  return text;
}

let before: readonly string[] = [];

beforeAll(async () => {
  await lowerStage(options, print);
  before = await machine();
  if ((await inventory()).length > 0) throw new Error('something of an earlier stage is left');
});

afterAll(async () => {
  await lowerStage(options, print);
});

describe('a stage', () => {
  let stage: Stage;
  let scratch = '';

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'stage-'));
    stage = await raiseStage(options, print, never);
  });
  afterAll(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  const service = async (
    name: string,
    port: number,
    image: string,
    more: readonly string[] = [],
  ): Promise<void> => {
    const health = [
      '--health-cmd',
      'wget -q -O /dev/null http://127.0.0.1:8080/',
      '--health-interval',
      '1s',
      '--health-retries',
      '2',
    ];
    const ports = [
      '--endpoint-mode',
      'dnsrr',
      '--publish',
      `mode=host,target=8080,published=${port}`,
    ];
    const place = ['--constraint', 'node.hostname==w1'];
    await stage.docker(
      [
        'service',
        'create',
        '--quiet',
        '--detach',
        '--name',
        name,
        ...ports,
        ...health,
        ...place,
        ...more,
        `${stage.registry}/site:${image}`,
      ],
      never,
    );
  };

  it('has three managers and a worker, all ready', async () => {
    const nodes = await stage.docker(
      ['node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'],
      never,
    );
    const lines = nodes
      .trim()
      .split('\n')
      .map((line) => line.trim())
      .toSorted();
    expect(lines.map((line) => line.replace(/Leader|Reachable/, 'manager'))).toEqual([
      'm1 Ready manager',
      'm2 Ready manager',
      'm3 Ready manager',
      'w1 Ready',
    ]);
    expect(lines.filter((line) => line.endsWith('Leader'))).toHaveLength(1);
  });

  it('is well for the doctor, who finds what is made wrong by hand', async () => {
    const socket = join(folder, 'm1/docker.sock');
    const doctor = async () =>
      await runProgram(
        [node, 'agent/bin.mjs', 'doctor', '--swarm', '--json', '--socket', socket],
        () => false,
      );
    const well = await doctor();
    expect(well.code).toBe(0);
    expect(JSON.parse(well.output)).toMatchObject({ counts: { critical: 0, warning: 0 } });

    const create = ['network', 'create', '--driver', 'overlay', '--subnet'];
    // The second one holds the nodes, the third one has the range of the first.
    const networks = [
      ['orphan', '10.99.1.0/24'],
      ['over', '10.213.79.0/28'],
      ['taken', '10.99.1.0/25'],
    ] as const;
    for (const [name, subnet] of networks) await stage.docker([...create, subnet, name], never);
    const ill = await doctor();
    await stage.docker(['network', 'rm', ...networks.map(([name]) => name)], never);
    expect(ill.code).toBe(1);
    const { findings } = JSON.parse(ill.output);
    const codes = findings.map(
      ({ code, where }: { code: string; where: string }) => `${code} ${where}`,
    );
    expect(codes).toContain('network-unused network orphan');
    expect(codes).toContain('subnet-overlap network over');
    expect(codes).toContain('network-without-subnet network taken');
  });

  it('serves the images of its registry on a port of a node', async () => {
    await service('well', 8081, '2');
    expect(await pageOnce('10.213.79.21', 8081, '200')).toContain('This is site 2.');
  });

  it('has an image that starts and never becomes healthy', async () => {
    // Long enough for a look at its page before the engine ends it, once and for all.
    const patient = ['--restart-condition', 'none', '--health-retries', '6'];
    await service('sick', 8082, 'broken', patient);
    expect(await pageOnce('10.213.79.21', 8082, '500')).toContain('sick');
    let state = '';
    const ended = async (): Promise<boolean> => {
      state = await stage.docker(['service', 'ps', 'sick', '--format', '{{.CurrentState}}'], never);
      return /^(Complete|Failed)/.test(state);
    };
    await waitUntil('the task ends', { deadlineMs: 120_000 }, ended, never);
    expect(state).not.toBe('');
  });

  it('has images that a variable makes sick later', async () => {
    await service('later', 8083, '1', ['--env', 'SICK_AFTER=3']);
    expect(await pageOnce('10.213.79.21', 8083, '200')).toContain('This is site 1.');
    expect(await pageOnce('10.213.79.21', 8083, '500')).toContain('sick');
  });

  it('takes a push from the person and none from the agent, over ssh with a pinned host key', async () => {
    const copy = await stage.workingCopy(
      join(scratch, 'infra'),
      join(projectFolder, 'docs'),
      never,
    );
    const revision = await copy.commitAndPush('First', never);
    expect(await copy.git(['ls-remote', 'origin', 'main'], never)).toBe(
      `${revision}\trefs/heads/main`,
    );
    const ssh = await copy.git(['config', 'core.sshCommand'], never);
    const asAgent = ssh.replace(stage.repository.writeKeyFile, stage.repository.readKeyFile);
    const agent = async (args: readonly string[]): Promise<string> =>
      await copy.git(['-c', `core.sshCommand=${asAgent}`, ...args], never);
    expect(await agent(['ls-remote', 'origin', 'main'])).toBe(`${revision}\trefs/heads/main`);
    await expect(agent(['push', 'origin', 'HEAD:refs/heads/other'])).rejects.toMatchObject({
      evidence: expect.stringContaining('may not do that'),
    });
    const unpinned = ssh.replace(stage.repository.knownHostsFile, '/dev/null');
    await expect(
      copy.git(['-c', `core.sshCommand=${unpinned}`, 'ls-remote', 'origin'], never),
    ).rejects.toMatchObject({ evidence: expect.stringContaining('Host key verification failed') });
  });

  it.each([
    'id',
    "git-upload-pack '/../../etc'",
    "git-upload-pack '/infra.git; id'",
    "git-receive-pack '/other.git'",
    'sh -i',
  ])('runs nothing else for a key: %s', async (command) => {
    const ssh = [
      'ssh',
      '-F',
      'none',
      '-o',
      'BatchMode=yes',
      '-o',
      `UserKnownHostsFile=${stage.repository.knownHostsFile}`,
      '-i',
      stage.repository.writeKeyFile,
      'git@10.213.79.2',
      command,
    ];
    const { code, output } = await runProgram(ssh, () => false);
    expect(code).not.toBe(0);
    expect(output).toMatch(/no such repository|may not do that/);
    expect(output).not.toContain('uid=');
  });

  it('gives no host a way to the outside', async () => {
    const [program = '', ...args] = stage.inHost('w1', [
      stage.tools.path('ip'),
      'route',
      'show',
      'default',
    ]);
    expect(await runProgram([program, ...args], () => false)).toMatchObject({ output: '' });
  });

  it('keeps what its engines write for a moment in its own folder', async () => {
    const engines: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
      if (!environment.includes(folder) || !/(dockerd|containerd[^/]*)$/.test(program)) continue;
      engines.push(program.slice(program.lastIndexOf('/') + 1));
      expect(environment.split('\0')).toContainEqual(expect.stringContaining(`TMPDIR=${folder}/`));
    }
    expect(new Set(engines)).toEqual(new Set(['dockerd', 'containerd', 'containerd-shim-runc-v2']));
  });

  it('is found again by a later run, and only under its own options', async () => {
    expect((await attachStage(options, never))?.hosts.map((host) => host.name)).toEqual([
      'm1',
      'm2',
      'm3',
      'w1',
    ]);
    expect(await attachStage({ ...options, workers: 2 }, never)).toBeUndefined();
  });

  it('is taken down without a trace, containers that ignore SIGTERM included', async () => {
    await service('stubborn', 8084, '1', ['--env', 'IGNORE_TERM=1']);
    await waitUntil(
      'the page',
      { deadlineMs: 120_000 },
      async () => (await page('10.213.79.21', 8084)).startsWith('200 '),
      never,
    );
    expect(await inventory()).not.toEqual([]);
    expect(await lowerStage(options, print)).toEqual([]);
    expect(await inventory()).toEqual([]);
    expect(await machine()).toEqual(before);
  });

  it('is not there any more, and taking it down again is fine', async () => {
    expect(await attachStage(options, never)).toBeUndefined();
    expect(await lowerStage(options, print)).toEqual([]);
  });
});

describe('a set-up that is killed', () => {
  const rehearse = [node, 'agent/bin.mjs', 'rehearse', '--no-agent', ...flags];

  it.each(['packages are unpacked', 'network', 'Git server', 'engines', 'registry', 'Swarm'])(
    'leaves nothing behind after --down: killed at "%s"',
    async (moment) => {
      const { output } = await runProgram(rehearse, (text) => text.includes(moment));
      expect(output).toContain(moment);
      const down = await runProgram(
        ['./rehearse', '--down', '--keep-packages', ...flags],
        () => false,
      );
      expect(down).toMatchObject({
        code: 0,
        output: expect.stringContaining('the stage is taken down'),
      });
      expect(await inventory()).toEqual([]);
      expect(await machine()).toEqual(before);
    },
  );

  it('does not stop the next set-up', async () => {
    await runProgram(rehearse, (text) => text.includes('engines'));
    const again = await runProgram(rehearse, () => false);
    expect(again).toMatchObject({
      code: 0,
      output: expect.stringContaining('an earlier stage is taken down'),
    });
    expect(again.output).toContain('the stage stands');
    await access(join(folder, 'docker'));
    expect(await lowerStage(options, print)).toEqual([]);
  });
});

describe('a second run', () => {
  it('is refused while the first one sets the stage up', async () => {
    const program = [node, 'agent/bin.mjs', 'rehearse', '--no-agent', ...flags];
    const first = runProgram(program, () => false);
    let owner: number | undefined;
    await waitUntil(
      'the first has begun',
      { deadlineMs: 120_000, everyMs: 5 },
      async () => {
        owner = (await readPidFile(join(folder, 'owner.pid')))?.pid;
        return owner !== undefined;
      },
      never,
    );
    // It stands still in the middle, however long the second one takes to begin.
    process.kill(owner ?? 0, 'SIGSTOP');
    const second = await runProgram(program, () => false);
    process.kill(owner ?? 0, 'SIGCONT');
    expect((await first).code).toBe(0); // first: a failed expectation must not leave it running
    expect(second).toMatchObject({
      code: 1,
      output: expect.stringContaining('is setting the stage `usx` up'),
    });
  });

  it('is refused in a network that is in use', async () => {
    const other = raiseStage({ ...options, name: 'usy' }, print, never);
    await expect(other).rejects.toThrow(
      'the network 10.213.79.0/24 is in use on this machine (10.213.79.0/24 on usx0)',
    );
    expect(await lowerStage({ ...options, name: 'usy' }, print)).toEqual([]);
    expect(await lowerStage(options, print)).toEqual([]);
  });
});

describe('the command', () => {
  it('makes the first commit healthy, and leaves the stage up when it is interrupted', async () => {
    const { code, output } = await interrupt('--down\n');
    expect(output).toMatch(/revision [0-9a-f]{10} is healthy/);
    expect(output).toContain('The stage stays up');
    expect(code).toBe(0);
    const loop = /for node in .*done/.exec(output)?.[0] ?? '';
    expect(loop.match(/10\.213\.\d+\.\d+/g)).toHaveLength(4);
    const shown = await runProgram(['sh', '-c', loop], () => false);
    expect(shown).toMatchObject({ code: 0, output: expect.stringContaining('Hello from Git') });
    const validate = /\(cd .* && npx understudy validate .*\)/.exec(output)?.[0] ?? '';
    expect(await runProgram(['sh', '-c', validate], () => false)).toMatchObject({
      code: 0,
      output: expect.stringContaining('valid: 1 stack'),
    });
  });

  const git = async (...args: string[]): Promise<string> => {
    const { code, output } = await runProgram(
      ['git', '-C', join(folder, 'infra'), ...args],
      () => false,
    );
    expect(code).toBe(0);
    return output.trim();
  };
  const once = async () => await runProgram(['./rehearse', '--once', ...flags], () => false);

  it('reports the newest revision of the branch with --once, whatever was before', async () => {
    const told = await once();
    expect(told.output).toContain(
      `revision ${(await git('rev-parse', 'HEAD')).slice(0, 10)} is healthy`,
    );
    expect(told.code).toBe(0);

    await git('rm', '--quiet', 'environments/rehearsal.yaml');
    await git('commit', '--quiet', '--message', 'Take the environment away');
    await git('push', '--quiet');
    const invalid = (await git('rev-parse', 'HEAD')).slice(0, 10);
    const first = await once();
    expect(first.output).toContain(`revision ${invalid} is invalid`);
    expect(first.output).not.toContain('is healthy');
    expect(first.code).toBe(1);
    // It was told already: it is told again.
    expect(await once()).toMatchObject({ code: 1, output: expect.stringContaining(invalid) });

    await git('revert', '--no-edit', 'HEAD');
    await git('push', '--quiet');
    const good = (await git('rev-parse', 'HEAD')).slice(0, 10);
    const last = await once();
    expect(last.output).toContain(`revision ${good} is healthy`);
    expect(last.output).not.toContain('is invalid');
    expect(last.code).toBe(0);
  });

  const agents = async (): Promise<readonly number[]> =>
    await Promise.all(
      ['m1', 'm2', 'm3'].map(async (host) =>
        Number((await readFile(join(folder, 'pids', `agent-${host}`), 'utf8')).split(' ')[0]),
      ),
    );

  it('goes on when the agent of one manager dies, and the next run starts it again', async () => {
    const [m1, m2 = 0, m3] = await agents();
    const advised = Promise.withResolvers<void>();
    const died = Promise.withResolvers<void>();
    const follows = runProgram(['./rehearse', ...flags], (text) => {
      if (text.includes('--down\n')) advised.resolve();
      if (text.includes('m2: its agent ended')) died.resolve();
      return text.includes('m2: agent started');
    });
    await advised.promise;
    process.kill(m2, 'SIGKILL');
    await died.promise;
    const next = await once();
    expect(next.output).toMatch(/agents run on m1 \(process \d+\), m3 \(process \d+\)/);
    expect(next.output).toContain('the agent is started again on m2');
    expect(next.code).toBe(0);
    // The run that followed all the time shows the new one too.
    expect((await follows).output).toContain('m2: agent started');
    const now = await agents();
    expect([now[0], now[2]]).toEqual([m1, m3]);
    expect(now[1]).not.toBe(m2);
  });

  it('tells in words that all agents died, and the next run starts them again', async () => {
    const before = await agents();
    let killed = false;
    const { code, output } = await runProgram(['./rehearse', ...flags], (text) => {
      if (killed || !text.includes('--down\n')) return false;
      killed = true;
      for (const pid of before) process.kill(pid, 'SIGKILL');
      return false;
    });
    for (const host of ['m1', 'm2', 'm3'])
      expect(output).toContain(`the agent on ${host} ended; its last lines:`);
    expect(output).toMatch(/^ {2}revision [0-9a-f]{10} is healthy/m);
    expect(output).toMatch(/the stage is still up: .*rehearse .* starts the agents again/);
    expect(output).not.toContain('{"level"');
    expect(code).toBe(1);
    const next = await once();
    expect(next.output.match(/agent started/g)).toHaveLength(1);
    expect(next.code).toBe(0);
    expect(new Set([...before, ...(await agents())]).size).toBe(6);
  });

  it('shows a stage that is up again, and follows the same agents to the next commit', async () => {
    const infra = join(folder, 'infra');
    const edit = `sed -i 's/<h1>.*</<h1>Hello again</' ${infra}/stacks/hello/index.html && git -C ${infra} commit -qam 'Change the page' && git -C ${infra} push -q`;
    expect(await runProgram(['sh', '-c', edit], () => false)).toEqual({ code: 0, output: '' });
    const { code, output } = await interrupt('is healthy');
    expect(output).toContain('is up already');
    expect(output).toMatch(/agents run on m1 .*, m2 .*, m3 /);
    expect(code).toBe(0);
  });

  it('ends when somebody else takes the stage down', async () => {
    let seen: (() => void) | undefined;
    const follows = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const following = runProgram(['./rehearse', ...flags], (text) => {
      if (text.includes('Try next')) seen?.();
      return false;
    });
    await follows;
    const down = await runProgram(
      ['./rehearse', '--down', '--keep-packages', ...flags],
      () => false,
    );
    expect(await following).toMatchObject({
      code: 0,
      output: expect.stringContaining('The stage was taken down.'),
    });
    expect(down.code).toBe(0);
    expect(await inventory()).toEqual([]);
  });
});

it('needs no ssh of the machine, and goes also from outside the mount namespace it was made in', async () => {
  // The machine as it would be without openssh-client, for these commands and their children alone.
  const script = [
    'mount --make-rprivate /',
    'for name in ssh ssh-keygen; do mount --bind /dev/null "$(readlink -f "$(command -v $name)")"; done',
    '! command -v ssh',
    './rehearse --once "$@"',
  ];
  const { code, output } = await runProgram(
    ['unshare', '--mount', 'sh', '-ec', script.join('\n'), 'sh', ...flags],
    () => false,
  );
  expect(output).toMatch(/revision [0-9a-f]{10} is healthy/);
  expect(code).toBe(0);
  const down = await runProgram(['./rehearse', '--down', '--keep-packages', ...flags], () => false);
  expect(down).toMatchObject({ code: 0, output: expect.stringContaining('is taken down') });
  expect(await inventory()).toEqual([]);
});

it('works in a folder whose name a shell would split, from unpacking to the last trace', async () => {
  const top = await mkdtemp(join(tmpdir(), 'stage-'));
  try {
    const copy = join(top, "it's a copy");
    const parts = [
      'agent',
      'schemas',
      'repo-template',
      'rehearse',
      'package.json',
      'package-lock.json',
    ];
    for (const part of [...parts, 'node_modules'])
      await cp(join(projectFolder, part), join(copy, part), {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
        // What an earlier start compiled: running agents may add to it meanwhile.
        filter: (path) => !path.endsWith('node_modules/.cache'),
      });
    const up = await runProgram(['./rehearse', '--once', ...place], () => false, copy);
    expect(up.output).toMatch(/revision [0-9a-f]{10} is healthy/);
    expect(up.code).toBe(0);
    const docker = [join(folder, 'docker'), 'service', 'ls'];
    const services = await runProgram(docker, () => false);
    expect(services).toMatchObject({ code: 0, output: expect.stringContaining('hello_web') });
    // Healthy is only who logs in to the database.
    expect(services.output).toMatch(/blog_web +replicated +1\/1/);
    const database = [join(folder, 'mysql'), '-Ne', "SHOW GRANTS FOR 'blog'"];
    expect((await runProgram(database, () => false)).output).toContain('ON `blog`.*');
    const units = ['npx', 'understudy', 'get', '--socket', join(folder, 'm1', 'docker.sock')];
    expect((await runProgram(units, () => false, copy)).output).toMatch(
      /mysql-database\/blog .*\n.*mysql-user\/blog .*\n.*stack\/blog .*\n.*stack\/hello /,
    );
    const down = await runProgram(['./rehearse', '--down', ...place], () => false, copy);
    // Nothing of the packages that these engines ran from is left either, although they were just killed.
    expect(down).toMatchObject({ code: 0, output: expect.not.stringContaining('packages') });
    await expect(access(join(copy, '.rehearsal'))).rejects.toThrow('ENOENT');
    expect(await inventory()).toEqual([]);
    expect(await machine()).toEqual(before);
  } finally {
    await rm(top, { recursive: true, force: true });
  }
});
