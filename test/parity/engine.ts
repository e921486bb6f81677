import { callEngine, expectEngine } from '../../agent/rehearsal/engine-http.ts';
import type { Bodies } from './folder.ts';

const CALL_MS = 20_000;
const TRIES = 100;
const PAUSE_MS = 200;
const kinds = ['services', 'secrets', 'configs', 'networks'] as const;
const never = new AbortController().signal;

/** A real engine, the manager of a Swarm with no node that takes tasks, behind its Unix socket. */
export class Engine {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** Throws where its tasks would run: what is deployed here is not meant to. */
  async assertDrained(): Promise<void> {
    const nodes = await this.#get('/nodes');
    if (nodes.some(({ Spec }: any) => Spec.Availability !== 'drain')) {
      throw new Error('the engine has nodes that take tasks: drain them all');
    }
  }

  /** Names of objects that a stack file may need. Gives how to remove it again. */
  async make(kind: 'network' | 'secret' | 'config', name: string): Promise<string> {
    const body =
      kind === 'network'
        ? { Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true }
        : { Name: name, Data: Buffer.from('external').toString('base64') };
    const made: any = await expectEngine(
      this.socket,
      { method: 'POST', path: `/v1.41/${kind}s/create`, body },
      CALL_MS,
      never,
    );
    return `/${kind}s/${made.ID ?? made.Id}`;
  }

  /** What the stack consists of, as the engine keeps it: names instead of ids, and nothing that it gave out by itself. */
  async stored(stack: string): Promise<Bodies> {
    const ids = new Map<string, string>();
    for (const { Id, Name } of await this.#get('/networks')) ids.set(Id, Name);
    for (const name of ['host', 'bridge', 'none']) {
      const path = `/v1.41/networks/${name}?scope=swarm`;
      const { status, body }: any = await callEngine(
        this.socket,
        { method: 'GET', path },
        CALL_MS,
        never,
      );
      if (status === 200) ids.set(body.Id, name);
    }
    for (const kind of ['secrets', 'configs']) {
      for (const { ID, Spec } of await this.#get(`/${kind}`)) ids.set(ID, Spec.Name);
    }
    const [services, secrets, configs, networks] = await Promise.all(
      kinds.map(async (kind) => await this.#get(`/${kind}?${filterOf(stack)}`)),
    );
    const named = (value: unknown): any =>
      JSON.parse(JSON.stringify(value ?? []), (_, one) =>
        typeof one === 'string' ? (ids.get(one) ?? one) : one,
      );
    return {
      services: named(services)
        .map(({ Spec }: any) => Spec)
        .toSorted(byName),
      secrets: named(secrets)
        .map(({ Spec }: any) => Spec)
        .toSorted(byName),
      configs: named(configs)
        .map(({ Spec }: any) => Spec)
        .toSorted(byName),
      networks: named(networks).map(networkOf).toSorted(byName),
    };
  }

  /** Removes the stack and then what lies at `paths`, and waits until it is gone. */
  async remove(stack: string, paths: readonly string[] = []): Promise<void> {
    for (let left = TRIES; left > 0; left -= 1) {
      const found = await Promise.all(
        kinds.map(async (kind) =>
          (await this.#get(`/${kind}?${filterOf(stack)}`)).map(
            ({ ID, Id }: any) => `/${kind}/${ID ?? Id}`,
          ),
        ),
      );
      const there = [...found.flat(), ...(found.flat().length === 0 ? paths : [])];
      const gone = await Promise.all(there.map(async (path) => await this.#delete(path)));
      if (found.flat().length === 0 && gone.every(Boolean)) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`the stack ${stack} does not go away`);
  }

  async #get(path: string): Promise<any[]> {
    const call = { method: 'GET', path: `/v1.41${path}` } as const;
    const body: any = await expectEngine(this.socket, call, CALL_MS, never);
    return body ?? [];
  }

  async #delete(path: string): Promise<boolean> {
    const call = { method: 'DELETE', path: `/v1.41${path}` } as const;
    const { status } = await callEngine(this.socket, call, CALL_MS, never);
    return status < 300 || status === 404;
  }
}

function filterOf(stack: string): string {
  const label = [`com.docker.stack.namespace=${stack}`];
  return `filters=${encodeURIComponent(JSON.stringify({ label }))}`;
}

function byName(a: { Name: string }, b: { Name: string }): number {
  return a.Name < b.Name ? -1 : 1;
}

/** Without ids, times, and the subnet and options that the engine gave out. */
function networkOf(network: any) {
  const { Name, Driver, Scope, EnableIPv6, Internal, Attachable, Ingress, IPAM, Labels } = network;
  const options = { ...network.Options };
  delete options['com.docker.network.driver.overlay.vxlanid_list'];
  return { Name, Driver, Scope, EnableIPv6, Internal, Attachable, Ingress, IPAM, Labels, options };
}
