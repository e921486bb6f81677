import { join } from 'node:path';

import { callEngine } from '../../agent/rehearsal/engine-http.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { Stage } from '../../agent/rehearsal/stage.ts';
import { stackFiles, writeFiles } from './repository.ts';

/** Stacks that are deployed one after another by the Docker command line, as a script in CI does it. */
export class DeployLoop {
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #names: readonly string[];

  constructor(stage: Stage, folder: string, count: number) {
    this.#stage = stage;
    this.#folder = folder;
    this.#names = Array.from({ length: count }, (_, index) => `loop-${String(index)}`);
  }

  /** Deploys each once. Gives milliseconds a stack. */
  async deploy(edition: number, signal: AbortSignal): Promise<number> {
    for (const name of this.#names) await writeFiles(this.#folder, stackFiles(name, edition));
    const beganMs = performance.now();
    for (const name of this.#names) {
      const file = join(this.#folder, 'stacks', name, 'compose.yaml');
      // It would ask a registry for each image; nothing else is that quick.
      const options = ['--resolve-image', 'never', '--compose-file', file];
      await this.#stage.docker(['stack', 'deploy', ...options, name], signal);
    }
    return (performance.now() - beganMs) / this.#names.length;
  }

  /** Removes all of them, and waits until their networks are gone. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#stage.docker(['stack', 'rm', ...this.#names], signal);
    const socket = this.#stage.hosts[0]?.socket ?? '';
    await waitUntil(
      'the stacks of the loop are gone',
      { deadlineMs: 60_000, everyMs: 200 },
      async () => {
        const filters = JSON.stringify({ label: ['com.docker.stack.namespace'] });
        const path = `/networks?filters=${encodeURIComponent(filters)}`;
        const { body } = await callEngine(socket, { method: 'GET', path }, 10_000, signal);
        return Array.isArray(body) && body.length === 0;
      },
      signal,
    );
  }
}
