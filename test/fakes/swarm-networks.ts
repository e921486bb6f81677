import { z } from 'zod';
import {
  type FakeAnswer,
  type FakeNetwork,
  type FakeRequest,
  json,
  ok,
  type Raft,
  Refusal,
  refused,
} from './swarm-answers.ts';
import { networkJson } from './swarm-json.ts';
import { type FakeService, type FakeTask, isOver } from './swarm-world.ts';

const networkBody = z.looseObject({
  Name: z.string(),
  Driver: z.string().default('bridge'),
  Scope: z.string().default(''),
  Labels: z.record(z.string(), z.string()).nullish(),
  Options: z.record(z.string(), z.string()).nullish(),
  IPAM: z
    .looseObject({
      Driver: z.string().default(''),
      Config: z.array(z.looseObject({ Subnet: z.string().default('') })).nullish(),
    })
    .nullish(),
});

/** All networks, the Swarm's and this engine's. */
export class FakeNetworks {
  readonly all = new Map<string, FakeNetwork>();
  readonly #raft: Raft;
  readonly #services: () => readonly FakeService[];
  readonly #tasks: () => readonly FakeTask[];
  /** Removed ones by id: engines keep their own copy until the last task on it is gone. */
  readonly #removed = new Map<string, string>();

  constructor(
    raft: Raft,
    services: () => readonly FakeService[],
    tasks: () => readonly FakeTask[] = () => [],
  ) {
    this.#raft = raft;
    this.#services = services;
    this.#tasks = tasks;
    this.#add('ingress', 'swarm', { Driver: 'overlay', Ingress: true });
    this.#add('bridge', 'local', { Driver: 'bridge' });
  }

  /** Turns what a service names into the id that is stored. */
  idOf(target: string): string {
    const network =
      this.all.get(target) ?? [...this.all.values()].find((one) => one.name === target);
    if (network === undefined) throw new Refusal(500, `network ${target} not found\n`);
    // The predefined ones exist on every node, and services may use them.
    if (network.scope !== 'swarm' && network.name !== 'bridge') {
      throw new Refusal(
        403,
        `The network ${network.name} cannot be used with services. Only networks scoped to the swarm can be used, such as those created with the overlay driver.`,
      );
    }
    return network.id;
  }

  handle(request: FakeRequest, id: string): FakeAnswer {
    const { method } = request;
    if (method === 'GET' && id === '') return ok([...this.all.values()].map(networkJson));
    if (method === 'POST' && id === 'create') return this.#create(request);
    const network = this.all.get(id);
    if (network === undefined) throw new Refusal(404, `network ${id} not found`);
    if (method === 'GET') return ok(networkJson(network));
    if (method !== 'DELETE') return refused(404, 'page not found');
    const user = this.#services().find((one) =>
      one.spec.TaskTemplate.Networks?.some(({ Target }) => Target === id),
    );
    if (user !== undefined) {
      throw new Refusal(
        400,
        `rpc error: code = FailedPrecondition desc = network ${id} is in use by service ${user.id}`,
      );
    }
    this.all.delete(id);
    this.#removed.set(id, network.name.toLowerCase());
    this.#raft.commit();
    return { status: 204, body: undefined };
  }

  #create(request: FakeRequest): FakeAnswer {
    const parsed = networkBody.safeParse(json(request.text));
    if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
    const body = parsed.data;
    const lower = body.Name.toLowerCase();
    const isThere = [...this.all.values()].some((one) => one.name.toLowerCase() === lower);
    if (isThere || this.#lingers(lower)) {
      throw new Refusal(409, `network with name ${body.Name} already exists`);
    }
    const scope = body.Driver === 'overlay' || body.Scope === 'swarm' ? 'swarm' : 'local';
    this.#raft.commit();
    return { status: 201, body: { Id: this.#add(body.Name, scope, body), Warning: '' } };
  }

  #lingers(name: string): boolean {
    return this.#tasks().some(
      (task) =>
        !isOver(task) &&
        task.template.Networks?.some(({ Target }) => this.#removed.get(Target) === name) === true,
    );
  }

  #add(name: string, scope: string, body: Record<string, unknown>): string {
    const id = this.#raft.id();
    const parsed = networkBody.parse({ Name: name, ...body });
    const labels = parsed.Labels ?? {};
    const number = this.all.size;
    const vxlan = { 'com.docker.network.driver.overlay.vxlanid_list': String(4096 + number) };
    const options = { ...parsed.Options, ...(parsed.Driver === 'overlay' ? vxlan : {}) };
    const wanted = parsed.IPAM?.Config ?? [];
    const driver = parsed.IPAM?.Driver ?? '';
    const ipam = {
      Driver: driver === '' ? 'default' : driver,
      Options: null,
      Config: (wanted.length === 0 ? [{ Subnet: '' }] : wanted).map(({ Subnet }) =>
        subnet(Subnet, number),
      ),
    };
    const createdAt = this.#raft.now();
    this.all.set(id, { id, name, scope, createdAt, body, labels, options, ipam });
    return id;
  }
}

/** A subnet as it was asked for, or what the engine allocates; the first address is the gateway. */
function subnet(asked: string, number: number): object {
  const whole = asked === '' ? `10.0.${String(number)}.0/24` : asked;
  return { Subnet: whole, Gateway: whole.replace(/\d+\/.*$/, '1') };
}
