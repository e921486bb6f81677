import type { Health, Rendered, Seen } from '../../core/kind.ts';
import { engineGaveUp, failureOf } from './failure.ts';
import { answerFor, askedFor, imageHealth } from './image-question.ts';
import { withLastLines } from './last-lines.ts';
import { type Delay, lateBy } from './late.ts';
import type { StackObserved } from './observed.ts';
import { lostNodeCause } from './outside.ts';
import { checkStack } from './probe-questions.ts';
import type { StackSpec } from './spec.ts';
import { isSettled, type ServiceTasks, stackTasks } from './tasks.ts';
import { delayOf, type Trouble, troubleOf } from './trouble.ts';

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
  const unsettled = services.filter((service) => !isSettled(service));
  return delayed(unit, { services: unsettled, summary, progress }, observed, seen);
}

interface Counted {
  readonly services: readonly ServiceTasks[];
  readonly summary: string;
  readonly progress: number;
}

/** These services do not run as they are wanted: so far nobody knows for certain that they will not. */
function delayed(
  { spec }: Rendered<StackSpec>,
  { services, summary: counted, progress }: Counted,
  observed: StackObserved,
  seen: Seen,
): Health {
  const known = services.flatMap((service) => troubled(service, observed, seen));
  const summary = [counted, ...known.map(({ key, words }) => `${key}: ${words}`)].join('; ');
  const images = known.flatMap(({ image }) => image ?? []);
  const { why, ...asked } = askedFor(images, seen);
  if (why !== undefined) return { status: 'outside', why, summary, ...asked };
  const slow = services
    .filter(({ key }) => !known.some((one) => one.key === key))
    .flatMap((service) => {
      const delay = delayOf(service, observed);
      return delay === undefined ? [] : { key: service.key, ...delay };
    });
  const late = lateBy([...known, ...slow], { summary: counted, seen, spec });
  return { status: 'progressing', progress, summary, ...asked, ...late };
}

function troubled(
  service: ServiceTasks,
  observed: StackObserved,
  seen: Seen,
): readonly (Trouble & { readonly key: string })[] {
  const trouble = troubleOf(service, observed, seen);
  return trouble === undefined ? [] : [{ key: service.key, ...trouble }];
}

/** Everything that is wanted runs: where a verdict is due, what is seen from outside decides. */
function checkedHealth(
  unit: Rendered<StackSpec>,
  { services, summary, progress }: Counted,
  observed: StackObserved,
  seen: Seen,
): Health {
  const { spec } = unit;
  const members = services
    .flatMap(({ running }) => running.map(({ id }) => id))
    .toSorted()
    .join(' ');
  const converged = { status: 'converged', members, summary } as const;
  if (!seen.judged) return converged;
  const failed = services.flatMap((service) => troubled(service, observed, seen));
  const restless = { ...converged, ...lateBy(failed, { summary, seen, spec }) };
  if (spec.health.checks.length === 0) return restless;

  const { asks, good, open, openAt, failure } = checkStack(unit, services, observed, seen);
  if (failure !== undefined) return { status: 'failing', ...failure, summary, asks };
  if (open.length === 0) return { ...restless, asks };
  const said = [summary, ...open].join('; ');
  const asked = services.filter(({ key }) => openAt.includes(key)).flatMap(speakerOf);
  const late = lateBy([...failed, ...asked], { summary: said, seen, spec });
  return { status: 'progressing', progress: progress + good, summary: said, asks, ...late };
}

/** What runs and does not answer as it should may have written why. */
function speakerOf({ key, running, live, spec }: ServiceTasks): readonly Delay[] {
  const [first] = running;
  return first === undefined
    ? []
    : [{ key, speaker: { task: first.id, spec: live?.spec ?? spec } }];
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
