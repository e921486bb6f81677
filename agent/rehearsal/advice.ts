import { join } from 'node:path';
import { callEngine } from './engine-http.ts';
import { textAt, valueAt } from './json.ts';
import type { Stage } from './stage.ts';

/** Pure. Commands to paste when the stage stands, each with what it shows. */
export function adviceText(folder: string, page: string | undefined, again: string): string {
  const image = (tag: string, message: string): string =>
    change('environments/rehearsal.yaml', `s/site:[0-9a-z]*/site:${tag}/`, message);
  return [
    'Try next, in another terminal:',
    '',
    `  cd ${join(folder, 'infra')}`,
    ...(page === undefined ? [] : ['', 'the page, from the port of a node:', `  curl ${page}`]),
    '',
    'what runs:',
    `  ${join(folder, 'docker')} service ls`,
    '',
    'another text on the page:',
    change('stacks/hello/index.html', 's/<h1>.*</<h1>Hello again</', 'Change the page'),
    '',
    'another image:',
    image('2', 'Use site 2'),
    '',
    'an image that never becomes healthy:',
    image('broken', 'Break the site'),
    '',
    'and to remove everything:',
    `  ${again} --down`,
  ].join('\n');
}

function change(file: string, edit: string, message: string): string {
  return `  sed -i '${edit}' ${file} && git commit -qam '${message}' && git push -q`;
}

/** The address of a page that a running task publishes on its node, if there is one. */
export async function findPage(stage: Stage, signal: AbortSignal): Promise<string | undefined> {
  const socket = stage.hosts[0]?.socket ?? '';
  const filters = encodeURIComponent('{"desired-state":["running"]}');
  const read = async (path: string): Promise<readonly unknown[]> => {
    const { body } = await callEngine(socket, { method: 'GET', path }, 5_000, signal);
    const items: readonly unknown[] = Array.isArray(body) ? body : [];
    return items;
  };
  const tasks = await read(`/tasks?filters=${filters}`);
  const nodes = await read('/nodes');
  for (const task of tasks) {
    const ports = valueAt(task, 'Status', 'PortStatus', 'Ports');
    const port: unknown = Array.isArray(ports) ? valueAt(ports[0], 'PublishedPort') : undefined;
    const node = nodes.find((one) => textAt(one, 'ID') === textAt(task, 'NodeID'));
    const host = stage.hosts.find((one) => one.name === textAt(node, 'Description', 'Hostname'));
    if (
      textAt(task, 'Status', 'State') === 'running' &&
      typeof port === 'number' &&
      host !== undefined
    ) {
      return `http://${host.address}:${port}/`;
    }
  }
  return undefined;
}
