import { join } from 'node:path';
import { callEngine } from './engine-http.ts';
import { textAt, valueAt } from './json.ts';
import { shellWord } from './shell.ts';
import type { Stage } from './stage.ts';

/** A page that copies of a service show. */
export interface Page {
  /** On every node that runs a copy. */
  readonly port: number;
  /** Addresses of all nodes: copies move from one to another. */
  readonly nodes: readonly string[];
}

/** What the advice names. */
export interface Named {
  /** The stage's. */
  readonly folder: string;
  readonly page: Page | undefined;
  /** The stage has database servers, and the repository a database. */
  readonly database: boolean;
  /** A MySQL Router leads to them. */
  readonly router: boolean;
  /** How `rehearse` was called. */
  readonly again: string;
  /** The project's. */
  readonly project: string;
}

/** Pure. Commands to paste when the stage stands, each with what it shows. */
export function adviceText({ folder, page, database, router, again, project }: Named): string {
  const image = (tag: string, message: string): string =>
    change('environments/rehearsal.yaml', `/^  IMAGE:/s/site:.*/site:${tag}/`, message);
  return [
    'Try next, in another terminal:',
    '',
    `  cd ${join(folder, 'infra')}`,
    ...(page === undefined
      ? []
      : ['', 'the page, from the first node that runs a copy:', curl(page)]),
    '',
    ...(database ? [...ofDatabase(folder, page), ''] : []),
    ...(database && router ? [...ofRouter(folder, again), ''] : []),
    'what runs:',
    `  ${join(folder, 'docker')} service ls`,
    '',
    'another text on the page:',
    change('stacks/hello/index.html', 's/<h1>.*</<h1>Hello again</', 'Change the page'),
    '',
    'another image:',
    image('2', 'Use site 2'),
    '',
    'a variable that is encrypted in Git, for the key of this stage:',
    ...sealed(folder, project),
    '',
    'an image that never becomes healthy: it is taken back by itself',
    image('broken', 'Break the site'),
    '',
    'one more try of what failed:',
    `  (cd ${shellWord(project)} && npx understudy retry stack/hello --socket ${join(folder, 'm1', 'docker.sock')})`,
    '',
    ...takeOver(folder, again),
    '',
    'what is wrong with a change, before it is pushed:',
    `  (cd ${shellWord(project)} && npx understudy validate ${join(folder, 'infra')})`,
    '',
    'and to remove everything:',
    `  ${again} --down`,
  ].join('\n');
}

/** The port is that of the template's blog. */
function ofDatabase(folder: string, page: Page | undefined): readonly string[] {
  return [
    ...(page === undefined
      ? []
      : ['the blog, which logs in to its database:', curl({ ...page, port: 8081 }), '']),
    'what its account may do there, asked as root:',
    `  ${join(folder, 'mysql')} -te 'SHOW GRANTS FOR blog'`,
    '',
    'another password: both are good until the blog runs with the new one',
    change('mysql/blog.yaml', 's/^rotate: .*/rotate: again/', 'Make another password'),
  ];
}

function ofRouter(folder: string, again: string): readonly string[] {
  const mysql = join(folder, 'mysql');
  const ask = `${mysql} -te 'SELECT member_host, member_role FROM performance_schema.replication_group_members'`;
  return [
    'which server is the primary; the page of the blog says by which one it is served, through the router:',
    `  ${ask}`,
    '',
    'another primary: the router goes on leading to the one before, which only reads now',
    `  STAGE_HOST=db2 ${mysql} -e 'SELECT group_replication_set_as_primary(@@server_uuid)'`,
    '',
    'and to have the router lead to the primary again:',
    `  ${again}`,
  ];
}

/** A plan shows `[secret]` for it; the service has it in clear. */
function sealed(folder: string, project: string): readonly string[] {
  const file = 'stacks/hello/page.env';
  const addFile = "sed -i 's/^    image: .*/&\\n    env_file: page.env/' stacks/hello/compose.yaml";
  const encrypt = `npx understudy encrypt ${join(folder, 'infra', file)} --in-place`;
  return [
    `  echo TOKEN=rehearsed > ${file} && ${addFile}`,
    `  (cd ${shellWord(project)} && ${encrypt})`,
    `  cat ${file}; git add ${file} && git commit -qam 'Have a secret' && git push -q`,
  ];
}

/** How to see who leads, and what happens when it dies. */
function takeOver(folder: string, again: string): readonly string[] {
  const docker = join(folder, 'docker');
  const label = `'{{index .Spec.Labels "understudy.lease"}}'`;
  const inspect = `${docker} config inspect understudy.head --format ${label}`;
  const pidFile = join(folder, 'pids', 'agent-$leader');
  return [
    'which agent leads; the others follow it (`leads now` says it too):',
    `  ${inspect}`,
    '',
    'kill it: after 38 s without a sign of life (19 s while a change is under way) another one `leads now`, and goes on',
    `  leader=$(${inspect} | sed 's/.*"node":"\\([^"]*\\)".*/\\1/')`,
    `  kill -9 $(cut -d ' ' -f 1 ${pidFile})`,
    '',
    'the same without -9 asks it to end: it gives the lead back first, and another one takes it within 2 s',
    '',
    'and to start again what was killed:',
    `  ${again}`,
  ];
}

function curl({ port, nodes }: Page): string {
  return `  for node in ${nodes.join(' ')}; do curl -sf -m 2 http://$node:${port}/ && break; done`;
}

function change(file: string, edit: string, message: string): string {
  return `  sed -i '${edit}' ${file} && git commit -qam '${message}' && git push -q`;
}

/** The page that a running task publishes on its node, if there is one. */
export async function findPage(stage: Stage, signal: AbortSignal): Promise<Page | undefined> {
  const socket = stage.hosts[0]?.socket ?? '';
  const filters = encodeURIComponent('{"desired-state":["running"]}');
  const read = async (path: string): Promise<readonly unknown[]> => {
    const { body } = await callEngine(socket, { method: 'GET', path }, 5_000, signal);
    const items: readonly unknown[] = Array.isArray(body) ? body : [];
    return items;
  };
  const ports = (await read(`/tasks?filters=${filters}`))
    .filter((task) => textAt(task, 'Status', 'State') === 'running')
    .map((task) => valueAt(task, 'Status', 'PortStatus', 'Ports', '0', 'PublishedPort'))
    .filter((port) => typeof port === 'number');
  if (ports.length === 0) return undefined;
  return { port: Math.min(...ports), nodes: stage.hosts.map(({ address }) => address) };
}
