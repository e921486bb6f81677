import { z } from 'zod';

import { callEngine, expectEngine } from '../../agent/rehearsal/engine-http.ts';
import type { Bodies } from './folder.ts';

const CALL_MS = 20_000;
const TRIES = 100;
const PAUSE_MS = 200;
const kinds = ['services', 'secrets', 'configs', 'networks'] as const;
const never = new AbortController().signal;

const Spec = z.looseObject({ Name: z.string().default(''), Availability: z.string().optional() });
const Row = z.looseObject({
  ID: z.string().optional(),
  Id: z.string().optional(),
  Name: z.string().default(''),
  Spec: Spec.optional(),
  Options: z.record(z.string(), z.string()).nullish(),
});
type Row = z.output<typeof Row>;
const Rows = z.array(Row);

/** A real engine, the manager of a Swarm with no node that takes tasks, behind its Unix socket. */
export class Engine {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** Throws where its tasks would run: what is deployed here is not meant to. */
  async assertDrained(): Promise<void> {
    const nodes = await this.#get('/nodes');
    if (nodes.some((node) => node.Spec?.Availability !== 'drain')) {
      throw new Error('the engine has nodes that take tasks: drain them all');
    }
  }

  /** Names of objects that a stack file may need. Gives how to remove it again. */
  async make(kind: 'network' | 'secret' | 'config', name: string): Promise<string> {
    const body =
      kind === 'network'
        ? { Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true }
        : { Name: name, Data: Buffer.from('external').toString('base64') };
    const made = Row.parse(
      await expectEngine(
        this.socket,
        { method: 'POST', path: `/v1.41/${kind}s/create`, body },
        CALL_MS,
        never,
      ),
    );
    return `/${kind}s/${idOf(made)}`;
  }

  /** What the stack consists of, as the engine keeps it: names instead of ids, and nothing that it gave out by itself. */
  async stored(stack: string): Promise<Bodies> {
    const ids = new Map<string, string>();
    for (const one of await this.#get('/networks')) ids.set(idOf(one), one.Name);
    for (const name of ['host', 'bridge', 'none']) {
      const path = `/v1.41/networks/${name}?scope=swarm`;
      const { status, body } = await callEngine(
        this.socket,
        { method: 'GET', path },
        CALL_MS,
        never,
      );
      if (status === 200) ids.set(idOf(Row.parse(body)), name);
    }
    for (const kind of ['secrets', 'configs']) {
      for (const one of await this.#get(`/${kind}`)) ids.set(idOf(one), one.Spec?.Name ?? '');
    }
    const [services, secrets, configs, networks] = await Promise.all(
      kinds.map(async (kind) => await this.#get(`/${kind}?${filterOf(stack)}`)),
    );
    const named = (rows: readonly Row[] = []): readonly Row[] =>
      Rows.parse(
        JSON.parse(JSON.stringify(rows), (_, one) =>
          typeof one === 'string' ? (ids.get(one) ?? one) : one,
        ),
      );
    const specs = (rows: readonly Row[] | undefined) =>
      named(rows)
        .map((row) => row.Spec ?? { Name: '' })
        .toSorted(byName);
    return {
      services: specs(services),
      secrets: specs(secrets),
      configs: specs(configs),
      networks: named(networks).map(networkOf).toSorted(byName),
    };
  }

  /** Removes the stack and then what lies at `paths`, and waits until it is gone. */
  async remove(stack: string, paths: readonly string[] = []): Promise<void> {
    for (let left = TRIES; left > 0; left -= 1) {
      const found = await Promise.all(
        kinds.map(async (kind) =>
          (await this.#get(`/${kind}?${filterOf(stack)}`)).map((one) => `/${kind}/${idOf(one)}`),
        ),
      );
      const there = [...found.flat(), ...(found.flat().length === 0 ? paths : [])];
      const gone = await Promise.all(there.map(async (path) => await this.#delete(path)));
      if (found.flat().length === 0 && gone.every(Boolean)) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`the stack ${stack} does not go away`);
  }

  async #get(path: string): Promise<readonly Row[]> {
    const call = { method: 'GET', path: `/v1.41${path}` } as const;
    const body = await expectEngine(this.socket, call, CALL_MS, never);
    return Rows.parse(body ?? []);
  }

  async #delete(path: string): Promise<boolean> {
    const call = { method: 'DELETE', path: `/v1.41${path}` } as const;
    const { status } = await callEngine(this.socket, call, CALL_MS, never);
    return status < 300 || status === 404;
  }
}

function idOf({ ID, Id }: Row): string {
  return ID ?? Id ?? '';
}

function filterOf(stack: string): string {
  const label = [`com.docker.stack.namespace=${stack}`];
  return `filters=${encodeURIComponent(JSON.stringify({ label }))}`;
}

function byName(a: { Name: string }, b: { Name: string }): number {
  return a.Name < b.Name ? -1 : 1;
}

/** Without ids, times, and the subnet and options that the engine gave out. */
function networkOf(network: Row) {
  const { Name, Driver, Scope, EnableIPv6, Internal, Attachable, Ingress, IPAM, Labels } = network;
  const Options = { ...network.Options };
  delete Options['com.docker.network.driver.overlay.vxlanid_list'];
  return { Name, Driver, Scope, EnableIPv6, Internal, Attachable, Ingress, IPAM, Labels, Options };
}
