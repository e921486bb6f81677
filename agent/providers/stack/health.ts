import type { Health, Rendered, Seen } from '../../core/kind.ts';
import { engineGaveUp, failureOf, troubleOf } from './failure.ts';
import { answerFor, imageHealth } from './image-question.ts';
import { withLastLines } from './last-lines.ts';
import type { StackObserved } from './observed.ts';
import { lostNodeCause } from './outside.ts';
import { checkStack } from './probe-questions.ts';
import type { StackSpec } from './spec.ts';
import { isSettled, type ServiceTasks, stackTasks } from './tasks.ts';

/**
 * Pure. How a stack does whose spec is in place, from its tasks and then from its checks. Which tasks belong to the current
 * spec is the engine's own answer (`_up-to-date`); `UpdateStatus` alone is not health: it says `completed` while all
 * replicas crash.
 */
export function stackHealth(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  seen: Seen,
): Health {
  const services = stackTasks(unit.spec, observed);
  const summary = services
    .map(({ key, running, wanted }) => `${key} ${String(running.length)}/${String(wanted)}`)
    .join(', ');
  const progress = services.reduce((sum, { running }) => sum + running.length, 0);

  const failures = services.flatMap((service) => failureOf(service, observed, seen) ?? []);
  const certain = failures.find(({ code }) => code !== 'image-missing');
  if (certain !== undefined) return withLastLines(certain, { summary, seen, spec: unit.spec });
  if (failures.length > 0) return imageHealth(failures, summary, progress, seen);
  if (services.every(isSettled)) {
    return checkedHealth(unit, { services, summary, progress }, observed, seen);
  }

  const cause = lostNodeCause(services, observed, seen);
  if (cause !== undefined) return { status: 'outside', why: cause, summary };
  const troubles = services
    .filter((service) => !isSettled(service))
    .flatMap((service) => {
      const trouble = troubleOf(service, observed, seen);
      return trouble === undefined ? [] : `${service.key}: ${trouble}`;
    });
  return { status: 'progressing', progress, summary: [summary, ...troubles].join('; ') };
}

interface Settled {
  readonly services: readonly ServiceTasks[];
  readonly summary: string;
  readonly progress: number;
}

/** Everything that is wanted runs: where a verdict is due, what is seen from outside decides. */
function checkedHealth(
  unit: Rendered<StackSpec>,
  { services, summary, progress }: Settled,
  observed: StackObserved,
  seen: Seen,
): Health {
  const members = services
    .flatMap(({ running }) => running.map(({ id }) => id))
    .toSorted()
    .join(' ');
  const converged = { status: 'converged', members, summary } as const;
  if (!seen.judged || unit.spec.health.checks.length === 0) return converged;

  const { asks, good, open, failure } = checkStack(unit, services, observed, seen);
  if (failure !== undefined) return { status: 'failing', ...failure, summary, asks };
  if (open.length === 0) return { ...converged, asks };
  return {
    status: 'progressing',
    progress: progress + good,
    summary: [summary, ...open].join('; '),
    asks,
  };
}

/**
 * Pure. A stack that the engine gave up, where what it holds is not what was sent. Where an image was missing the registry
 * is asked first; once that has it the stack is as if the engine had not given up, and is sent again.
 */
export function stackGivenUp(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  seen: Seen,
): Health | undefined {
  const failures = stackTasks(unit.spec, observed).flatMap(
    (service) => engineGaveUp(service, observed, seen) ?? [],
  );
  const summary = failures.map(({ why }) => why).join('; ');
  const certain = failures.find(({ code }) => code !== 'image-missing');
  if (certain !== undefined) return withLastLines(certain, { summary, seen, spec: unit.spec });
  if (failures.length === 0) return undefined;
  const health = imageHealth(failures, summary, 0, seen);
  const again = failures.every(({ image }) => answerFor(image, seen)?.status === 'good');
  return again ? undefined : health;
}

/** Pure. Ids of all tasks that services of the stack have now, also of those that its file does not have. */
export function stackTaskIds(
  { spec }: Rendered<StackSpec>,
  observed: StackObserved,
): readonly string[] {
  const wanted = Object.values(spec.services).map(({ Name }) => Name.toLowerCase());
  const there = (observed.serviceNames.get(spec.name) ?? []).map((name) => name.toLowerCase());
  return [...new Set([...wanted, ...there])].flatMap((name) => {
    const live = observed.services.get(name);
    return live === undefined ? [] : (observed.tasks.get(live.id) ?? []).map(({ id }) => id);
  });
}
