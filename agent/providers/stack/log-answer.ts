import type { Answer, Question } from '../../core/kind.ts';
import type { Swarm } from './swarm.ts';

/** What a task or its healthcheck wrote last, as an answer. What cannot be read is no bad sign. */
export async function logAnswer(
  swarm: Pick<Swarm, 'taskLog' | 'lastCheck'>,
  question: Extract<Question, { readonly ask: 'log' | 'check' }>,
  signal: AbortSignal,
): Promise<Pick<Answer, 'status' | 'detail'>> {
  const read =
    question.ask === 'log'
      ? await swarm.taskLog(question.task, signal)
      : await swarm.lastCheck(question.container, signal);
  return read.status === 'ok' && read.value !== undefined
    ? { status: 'good', detail: read.value }
    : { status: 'open', detail: '' };
}
