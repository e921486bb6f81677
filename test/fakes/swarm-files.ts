import { z } from 'zod';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import {
  checkVersion,
  type FakeAnswer,
  type FakeFile,
  type FakeRequest,
  invalid,
  json,
  ok,
  type Raft,
  Refusal,
  refused,
  versionOf,
} from './swarm-answers.ts';
import { fileJson } from './swarm-json.ts';

const fileBody = z.looseObject({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Data: z.string().optional(),
  Templating: z.looseObject({ Name: z.string() }).exactOptional(),
});

const limits = { configs: 1_024_000, secrets: 512_000 };

/** All configs, or all secrets: immutable data, labels by compare-and-swap. */
export class FakeFiles {
  readonly all = new Map<string, FakeFile>();
  readonly #kind: 'configs' | 'secrets';
  readonly #raft: Raft;
  readonly #specs: () => readonly ServiceSpec[];

  constructor(kind: 'configs' | 'secrets', raft: Raft, specs: () => readonly ServiceSpec[]) {
    this.#kind = kind;
    this.#raft = raft;
    this.#specs = specs;
  }

  handle(request: FakeRequest, id: string, verb: string): FakeAnswer {
    const { method } = request;
    if (method === 'GET' && id === '') {
      return ok([...this.all.values()].map((file) => fileJson(file, this.#kind)));
    }
    if (method === 'POST' && id === 'create') return this.#create(request);
    const file = this.#find(id);
    if (file === undefined) throw new Refusal(404, `${this.#noun} ${id} not found`);
    if (method === 'GET') return ok(fileJson(file, this.#kind));
    if (method === 'DELETE') {
      this.#checkUnused(file);
      this.all.delete(file.id);
      this.#raft.commit();
      return { status: 204, body: undefined };
    }
    if (method === 'POST' && verb === 'update') return this.#update(request, file);
    return refused(404, 'page not found');
  }

  get #noun(): string {
    return this.#kind === 'configs' ? 'config' : 'secret';
  }

  /** By id, by name in any case, by the beginning of an id: in this order. */
  #find(text: string): FakeFile | undefined {
    const lower = text.toLowerCase();
    const files = [...this.all.values()];
    const named = this.all.get(text) ?? files.find(({ name }) => name.toLowerCase() === lower);
    const begun = files.filter(({ id }) => text !== '' && id.startsWith(text));
    return named ?? (begun.length === 1 ? begun[0] : undefined);
  }

  #update(request: FakeRequest, file: FakeFile): FakeAnswer {
    const version = versionOf(request, this.#noun);
    const { Name, Data, Labels } = this.#body(request);
    // Compared before the version, and only where there is any.
    const isOther = Data !== undefined && Data !== '' && Data !== file.data;
    if (Name !== file.name || isOther) {
      throw invalid('only updates to Labels are allowed');
    }
    checkVersion(version, file);
    // All of them: a label that is left out is gone.
    file.labels = Labels ?? {};
    file.version = this.#raft.commit();
    file.updatedAt = this.#raft.now();
    return { status: 200, body: undefined };
  }

  #create(request: FakeRequest): FakeAnswer {
    const { Name, Labels, Data = '', Templating } = this.#body(request);
    if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/.test(Name) || Name.length > 64) {
      throw invalid(
        'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]',
      );
    }
    const bytes = Buffer.from(Data, 'base64').length;
    const limit = limits[this.#kind];
    if (bytes === 0 || bytes >= limit) {
      throw invalid(
        `${this.#noun} data must be larger than 0 and less than ${String(limit)} bytes`,
      );
    }
    const lower = Name.toLowerCase();
    if ([...this.all.values()].some((file) => file.name.toLowerCase() === lower)) {
      throw new Refusal(
        409,
        `rpc error: code = AlreadyExists desc = ${this.#noun} ${Name} already exists`,
      );
    }
    const id = this.#raft.id();
    this.all.set(id, {
      id,
      version: this.#raft.commit(),
      createdAt: this.#raft.now(),
      updatedAt: this.#raft.now(),
      name: Name,
      labels: Labels ?? {},
      data: Data,
      ...(Templating === undefined ? {} : { templating: Templating }),
    });
    return { status: 201, body: { ID: id } };
  }

  #body(request: FakeRequest): z.output<typeof fileBody> {
    const parsed = fileBody.safeParse(json(request.text));
    if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
    return parsed.data;
  }

  #checkUnused(file: FakeFile): void {
    const users = this.#specs().filter(({ TaskTemplate }) => {
      const { Configs, Secrets } = TaskTemplate.ContainerSpec;
      return this.#kind === 'configs'
        ? Configs?.some(({ ConfigID }) => ConfigID === file.id)
        : Secrets?.some(({ SecretID }) => SecretID === file.id);
    });
    if (users.length === 0) return;
    const names = users.map(({ Name }) => Name).join(', ');
    const services = `service${users.length > 1 ? 's' : ''}`;
    throw invalid(`${this.#noun} '${file.name}' is in use by the following ${services}: ${names}`);
  }
}
