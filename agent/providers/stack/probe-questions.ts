import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

import type { Answer, Asked, Failure, Question, Rendered, Seen } from '../../core/kind.ts';
import type { StackObserved } from './observed.ts';
import type { CheckSpec, Published, StackSpec } from './spec.ts';
import type { ObservedNode } from './swarm.ts';
import type { ServiceTasks } from './tasks.ts';

/** A port that is not balanced is asked on so many nodes at most. */
const NODES_MAX = 3;

/** What the checks of a stack say whose tasks all run. */
export interface Checked {
  readonly asks: readonly Asked[];
  /** How many questions are well answered. */
  readonly good: number;
  /** Why it cannot be called healthy yet, for people. */
  readonly open: readonly string[];
  /** Compose keys of the services that those ask; a URL names none. */
  readonly openAt: readonly string[];
  readonly failure: Failure | undefined;
}

/** Where one check is asked. `asked` is absent where no node has an address to ask. */
interface Probe {
  readonly check: CheckSpec;
  /** `check front page`, with the node where it is asked on several. */
  readonly label: string;
  readonly asked?: Asked;
}

/**
 * Pure. What is asked of a stack from outside, and what the answers say so far. A question is another one as soon as
 * other tasks run, so that no answer of former tasks counts.
 */
export function checkStack(
  unit: Rendered<StackSpec>,
  services: readonly ServiceTasks[],
  observed: StackObserved,
  { answers }: Seen,
): Checked {
  const probes = unit.spec.health.checks.flatMap((check) =>
    probesOf(check, unit, services, observed),
  );
  const looks = probes.map((probe) => {
    const answer = probe.asked && answers.get(probe.asked.name);
    return { ...probe, answer, standing: standingOf(probe.check, answer) };
  });
  const failed = looks.find(({ standing }) => standing === 'failed');
  return {
    asks: probes.flatMap(({ asked }) => asked ?? []),
    good: looks.filter(({ standing }) => standing === 'good').length,
    open: looks
      .filter(({ standing }) => standing === 'open')
      .map(({ label, asked, answer }) => `${label}: ${detailOf(asked, answer)}`),
    openAt: looks.flatMap(({ standing, check: { target } }) =>
      standing === 'open' && 'at' in target ? target.at.service : [],
    ),
    failure: failed?.answer && {
      code: 'probe-failed',
      why: `${failed.label}: ${failed.answer.detail}`,
      evidence: `${targetOf(failed.asked)}: ${failed.answer.detail}, ${String(failed.answer.inARow)} times in a row after it was good`,
    },
  };
}

/** Few bad answers after a good one are a hiccup. What was never good may just not be ready: the timeout decides. */
function standingOf(
  { failures }: CheckSpec,
  answer: Answer | undefined,
): 'good' | 'open' | 'failed' {
  switch (answer?.status) {
    case 'good':
      return 'good';
    case 'bad':
      // A hiccup is no failure, and no time to call anything healthy either.
      return answer.wasGood && answer.inARow >= failures ? 'failed' : 'open';
    case 'open':
    case undefined:
      return 'open';
  }
}

function detailOf(asked: Asked | undefined, answer: Answer | undefined): string {
  if (asked === undefined) return 'no node to ask has a known address';
  return answer?.detail ?? 'not answered yet';
}

function targetOf(asked: Asked | undefined): string {
  const question = asked?.question;
  if (question?.ask === 'http') return question.url;
  return question?.ask === 'tcp' ? `${question.host} port ${String(question.port)}` : '';
}

function probesOf(
  check: CheckSpec,
  unit: Rendered<StackSpec>,
  services: readonly ServiceTasks[],
  observed: StackObserved,
): readonly Probe[] {
  const { target } = check;
  const members = services.flatMap(({ running }) => running.map(({ id }) => id)).toSorted();
  const label = `check ${check.name}`;
  const named = (where: string, address: string): string => {
    const marks = JSON.stringify([unit.digest, members, address]);
    const mark = createHash('sha256').update(marks).digest('hex').slice(0, 8);
    return `${unit.id} ${label}${where} ${mark}`;
  };
  const nodes = observed.state.nodes.flatMap((node) => addressOf(node, observed) ?? []);
  if ('url' in target) {
    const question = questionOf(check, target.url, nodes);
    return [{ check, label, asked: { name: named('', target.url), question } }];
  }
  const service = services.find(({ key }) => key === target.at.service);
  // Nobody answers where nothing is wanted.
  if (service?.wanted === 0) return [];
  const places = placesOf(target.at, service, observed);
  if (places.length === 0) return [{ check, label }];
  return places.map(({ hostname, address }) => ({
    check,
    label: places.length === 1 ? label : `${label} on ${hostname}`,
    asked: {
      name: named(` on ${hostname}`, address),
      question: questionOf(check, address, [address]),
    },
  }));
}

function questionOf(
  { target, intervalMs: everyMs, timeoutMs }: CheckSpec,
  address: string,
  nodes: readonly string[],
): Question {
  const pace = { everyMs, timeoutMs, nodes };
  if (target.protocol === 'tcp') {
    return { ask: 'tcp', host: address, port: target.at.port, ...pace };
  }
  const { host, status, contains } = target;
  const shown = isIP(address) === 6 ? `[${address}]` : address;
  const url =
    'url' in target ? target.url : `http://${shown}:${String(target.at.port)}${target.path}`;
  return {
    ask: 'http',
    url,
    ...(host !== undefined && { host }),
    status,
    ...(contains !== undefined && { contains }),
    ...pace,
  };
}

interface AskedPlace {
  readonly hostname: string;
  readonly address: string;
}

/**
 * Where a published port answers: in `host` mode on the nodes that run a task, else on every node, of which one is enough.
 * The choice is the same every time.
 */
function placesOf(
  { port }: Published,
  service: ServiceTasks | undefined,
  observed: StackObserved,
): readonly AskedPlace[] {
  if (service === undefined) return [];
  const { nodes } = observed.state;
  const published = service.spec.EndpointSpec?.Ports?.find(
    ({ PublishedPort, Protocol = 'tcp' }) => PublishedPort === port && Protocol === 'tcp',
  );
  const onHost = published?.PublishMode === 'host';
  const hosts = new Set(service.running.map(({ nodeId }) => nodeId));
  return nodes
    .filter(({ id, state }) => (onHost ? hosts.has(id) : state === 'ready'))
    .toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
    .flatMap((node) => {
      const address = addressOf(node, observed);
      return address === undefined ? [] : [{ hostname: node.hostname, address }];
    })
    .slice(0, onHost ? NODES_MAX : 1);
}

/** Managers stay longest. */
function rank({ role, availability }: ObservedNode): number {
  return (availability === 'active' ? 0 : 2) + (role === 'manager' ? 0 : 1);
}

/** A manager may know itself by an address that is no use to others. */
function addressOf({ address }: ObservedNode, { state }: StackObserved): string | undefined {
  // What a manager advertises stands in brackets where it is IPv6.
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0 || bare === '0.0.0.0' || bare === '::') return undefined;
  const loops = bare === '::1' || bare.startsWith('127.');
  return loops && state.nodes.length > 1 ? undefined : bare;
}
