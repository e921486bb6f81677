import type { Answer } from '../../core/kind.ts';
import type { Swarm } from './swarm.ts';

/** What a task wrote last, as an answer. A log that cannot be read is no bad one. */
export async function logAnswer(
  swarm: Pick<Swarm, 'taskLog'>,
  task: string,
  signal: AbortSignal,
): Promise<Pick<Answer, 'status' | 'detail'>> {
  const read = await swarm.taskLog(task, signal);
  return read.status === 'ok'
    ? { status: 'good', detail: read.value }
    : { status: 'open', detail: '' };
}
