import { readdir, readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { formatText } from '../../agent/core/format.ts';
import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { follow } from '../../agent/reconcile/follow.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { blog, COMPOSE, committed, good, poisons } from './poisons.ts';
import { isStack } from '../../agent/unit-kind.ts';

/** A machine that is busy is no mistake of the revision. */
const patient = {
  environment: 'production',
  clock: systemClock,
  limits: { deadlineMs: 50_000 },
} as const;

/** Follows a repository that the test commits to, with the real renderer, and hands what is valid to a whole agent. */
class Scene {
  readonly world = new WholeAgent();
  readonly renderer = openRenderer(patient);
  readonly #stop = new AbortController();
  readonly #wake = new Wake(systemClock);
  #snapshot = committed(good('site:1'), [], 'r0');
  #told: (event: AgentEvent) => void = () => undefined;
  #following: Promise<void> | undefined;

  async begin(): Promise<void> {
    const published = this.#next();
    this.#following = follow(
      {
        source: {
          newest: async () => Promise.resolve(this.#snapshot),
          at: async () => Promise.resolve(undefined),
          descends: async () => Promise.resolve(true),
          close: async () => Promise.resolve(),
        },
        renderer: this.renderer,
        clock: systemClock,
        reporter: { tell: (event) => this.#told(event) },
        wake: this.#wake,
        looks: new Looks({ wake: this.#wake, sourceWake: this.#wake }),
        publish: ({ revision, units, behind }) => {
          // As a lost place in the record: what is behind is only shown.
          if (behind !== undefined) return;
          this.world.commit({ name: revision, units: units.filter(isStack) });
        },
        confirm: () => this.#told({ event: 'going on', of: 'repository' }),
        lastSeen: async () => Promise.resolve(undefined),
      },
      this.#stop.signal,
    );
    await published;
    await this.world.rest();
  }

  /** Until the revision is judged; gives what is wrong with it. */
  async push(snapshot: Snapshot): Promise<readonly Diagnostic[]> {
    this.#snapshot = snapshot;
    const judged = this.#next();
    this.#wake.ring();
    return judged;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.renderer.close();
  }

  async #next(): Promise<readonly Diagnostic[]> {
    return new Promise((resolve) => {
      this.#told = (event) => {
        if (event.event === 'revision invalid') resolve(event.diagnostics);
        if (event.event === 'going on') resolve([]);
      };
    });
  }

  /** All that runs, without what the record is kept in. */
  state(): unknown {
    const { services, networks, configs, secrets } = this.world.engine;
    return structuredClone(
      [services, networks, configs, secrets].map((all) =>
        [...all.values()].filter((one) => !JSON.stringify(one).includes('"understudy.')),
      ),
    );
  }

  /** But for what the agent collects of its own record, minutes later. That it takes nothing else shows in `state`. */
  writes(): number {
    const isOwn = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'DELETE' && path.startsWith('/configs/');
    return this.world.writes.filter((one) => !isOwn(one)).length;
  }
}

describe('a poisoned commit', () => {
  const scene = new Scene();
  let count = 0;
  beforeAll(async () => scene.begin());
  afterAll(async () => scene.end());

  it.each(Object.entries(poisons))(
    '%s',
    async (_, { files = {}, listed = [], code, file, line }) => {
      count += 1;
      const { world, renderer } = scene;
      const [before, writes, { pid }] = [scene.state(), scene.writes(), renderer];

      const poison = committed({ ...good(`site:${count}`), ...files }, listed, `poison${count}`);
      const diagnostics = await scene.push(poison);

      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      const shown = errors.map(({ code: is, place }) => [
        is,
        place?.file ?? '',
        ...(line === undefined ? [] : [place?.line]),
      ]);
      expect(shown).toContainEqual([code, file, ...(line === undefined ? [] : [line])]);
      expect(errors.map((one) => one.code)).not.toContain('render-failed');
      expect(errors.length).toBeLessThan(110);
      // Nothing of it can move the cursor, turn the text around, or end a line.
      expect(formatText(diagnostics, { colour: false })).not.toMatch(
        /[^\P{C}\n]|[\u200b-\u200f\u202a-\u202e]/u,
      );
      expect(renderer.pid).toBe(pid);

      await world.rest();
      expect(scene.writes()).toBe(writes);
      expect(scene.state()).toEqual(before);

      const image = `site:good${count}`;
      expect(await scene.push(committed(good(image), [], `good${count}`))).toEqual([]);
      await world.rest();
      const images = [...world.engine.services.values()].map(
        ({ spec }) => spec.TaskTemplate.ContainerSpec.Image,
      );
      expect(images.toSorted()).toEqual(['site:1', image].toSorted());
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
    },
  );
});

describe('what is no poison', () => {
  it.each<[string, string | Uint8Array]>([
    ['a byte order mark', `\ufeff${blog('site:2')}`],
    ['line ends of Windows', blog('site:2').replaceAll('\n', '\r\n')],
    [
      'names that every object has',
      `services: {constructor: {image: x, environment: {toString: "1", constructor: "2"}, labels: {valueOf: a}, configs: [hasOwnProperty], secrets: [isPrototypeOf]}}\nconfigs: {hasOwnProperty: {file: page.txt}}\nsecrets: {isPrototypeOf: {file: key.txt}}\n`,
    ],
  ])('%s', async (_, text) => {
    const renderer = openRenderer(patient);
    const { signal } = new AbortController();
    const { units, diagnostics } = await renderer.render(
      committed({ ...good('x'), [COMPOSE]: text }, [], 'r'),
      signal,
    );
    await renderer.close();
    expect(diagnostics).toEqual([]);
    expect(units).toHaveLength(2);
  });
});

it('only the child parses what the repository holds', async () => {
  const files = (await readdir('agent', { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const users: string[] = [];
  for (const file of files) {
    const text = await readFile(`agent/${file}`, 'utf8');
    if (
      /import \{[^}]*\b(?:renderRepository|stackFolders|renderStack|renderCompose|readRepository|readEnvironments?)\b/.test(
        text,
      )
    )
      users.push(file);
  }
  expect(users.toSorted()).toEqual([
    // For the next one alone.
    'core/environment-files.ts',
    'core/repository.ts',
    // What `adopt` itself wrote of a Swarm, in a process of its own: nothing of a repository.
    'providers/stack/compose-back/proof.ts',
    'providers/stack/render.ts',
    'render/child.ts',
  ]);
});
