import { describe, expect, it } from 'vitest';

import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceMode } from '../../../agent/providers/stack/engine-api.ts';
import { stackHealth } from '../../../agent/providers/stack/health.ts';
import { convertIgnore } from '../../../agent/providers/stack/ignore.ts';
import { restoreStack, stackRelease } from '../../../agent/providers/stack/release.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import { stackFromWire, stackToWire } from '../../../agent/providers/stack/wire.ts';
import { blogNetwork, live, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const place = { file: 'stack.yaml', line: 2, column: 1, length: 1, quoted: '' };
const many = (Replicas: number): { Mode: ServiceMode } => ({ Mode: { Replicated: { Replicas } } });
const labels = (own: Record<string, string>) => ({
  Labels: { ...service('web').Labels, ...own },
});
const target = 'service blog_web';

/** The repository wants two of it, and leaves their number to others. */
const scaled = (spec: Partial<StackSpec> = {}) =>
  unit({ services: { web: service('web', many(2)) }, ignore: ['services.web.replicas'], ...spec });
const now = (...parts: Parameters<typeof service>[1][]) =>
  observed({
    services: [live(service('web', Object.assign({}, ...parts)))],
    networks: [blogNetwork],
  });

describe('what may be left to others', () => {
  const services = {
    web: service('web', many(2)),
    plain: service('plain'),
    global: service('global', { Mode: { Global: {} } }),
    job: service('job', { Mode: { ReplicatedJob: { TotalCompletions: 2 } } }),
  };

  it.each([
    'services.web.replicas',
    'services.plain.replicas',
    'services.web.deploy.labels.a',
    'services.web.deploy.labels.io.portainer.accesscontrol.teams',
    'services.global.deploy.labels.a',
  ])('%s', (field) => {
    const found = convertIgnore([field], { services, single: false }, () => place);
    expect(found).toEqual({ fields: [field], diagnostics: [] });
  });

  it.each([
    ['services.web.image', 'wrong-value'],
    ['services.web', 'wrong-value'],
    ['services.*.replicas', 'undefined-service'],
    ['web.replicas', 'wrong-value'],
    ['services.web.deploy.replicas', 'wrong-value'],
    ['services.web.labels.a', 'wrong-value'],
    ['services.web.deploy.labels.', 'wrong-value'],
    ['services.web.deploy.resources.limits.memory', 'wrong-value'],
    ['services.web.replicas.x', 'wrong-value'],
    ['networks.default.labels.a', 'wrong-value'],
    ['services.gone.replicas', 'undefined-service'],
    ['services.constructor.replicas', 'undefined-service'],
    ['services.global.replicas', 'conflict'],
    ['services.job.replicas', 'conflict'],
    ['services.web.deploy.labels.com.docker.stack.namespace', 'wrong-value'],
    ['services.web.deploy.labels.com.docker.stack.image', 'wrong-value'],
  ])('not %s', (field, code) => {
    const { diagnostics } = convertIgnore([field], { services, single: false }, () => place);
    expect(diagnostics.map((one) => `${one.severity} ${one.code}`)).toEqual([`error ${code}`]);
    expect(diagnostics[0]?.place).toBe(place);
  });

  it('guesses a service', () => {
    const { diagnostics } = convertIgnore(
      ['services.plian.replicas'],
      { services, single: false },
      () => place,
    );
    expect(diagnostics[0]?.hint).toBe('did you mean `plain`?');
  });
});

describe('replicas that are left to others', () => {
  it.each([1, 2, 7, 0])('%d of them are no difference', (count) => {
    expect(diffStack(scaled(), now(many(count)))).toEqual({ operations: [], blocked: [] });
  });

  it('are one where they are not left to others', () => {
    const plain = unit({ services: { web: service('web', many(2)) } });
    expect(diffStack(plain, now(many(7))).operations).toHaveLength(1);
  });

  it('go along with an update as they are', () => {
    const changed = scaled({
      services: { web: service('web', { ...many(2), ...labels({ a: 'b' }) }) },
    });
    const { operations } = diffStack(changed, now(many(7)));
    expect(operations).toMatchObject([
      { verb: 'update', fields: [{ path: 'services.web.Labels.a' }], call: { body: many(7) } },
    ]);
  });

  it('are those of the repository for a service that is not there', () => {
    const { operations } = diffStack(scaled(), observed({ networks: [blogNetwork] }));
    expect(operations).toMatchObject([{ verb: 'create', call: { body: many(2) } }]);
  });

  it('are those of the repository where our own stop may have made them 0', () => {
    expect(diffStack(scaled(), now(many(0)), [target]).operations).toMatchObject([
      { verb: 'update', call: { body: many(2) } },
    ]);
    // Not where somebody changed them since, and not for another service.
    expect(diffStack(scaled(), now(many(7)), [target]).operations).toEqual([]);
    expect(diffStack(scaled(), now(many(0)), ['service blog_x']).operations).toEqual([]);
  });

  it('and what is kept of a comparison is not taken for the other', () => {
    const wanted = scaled();
    const stopped = now(many(0));
    expect(diffStack(wanted, stopped).operations).toHaveLength(0);
    expect(diffStack(wanted, stopped, [target]).operations).toHaveLength(1);
    expect(diffStack(wanted, stopped).operations).toHaveLength(0);
  });

  it.each([
    [3, 'converged', 'web 3/3'],
    [4, 'progressing', 'web 3/4'],
    [2, 'progressing', 'web 3/2'],
  ])('are what health is judged by: %d', (count, status, summary) => {
    const services = [live(service('web', many(count)))];
    const state = observed({ services, tasks: [task('a'), task('b'), task('c')] });
    expect(stackHealth(scaled(), state, seen())).toMatchObject({ status, summary });
  });

  it('stay as they are when a release comes back, which remembers what is left to others', () => {
    const content = stackRelease(scaled(), now(many(5)), 'wanted');
    const release = { digest: 'd1', revision: 'r', at: '', content: structuredClone(content) };
    const back = restoreStack('stack/blog', release);
    if (back === undefined) throw new Error('unreadable');
    expect(diffStack(back, now(many(9))).operations).toEqual([]);
    expect(diffStack(back, now(many(9), labels({ bad: 'x' }))).operations).toMatchObject([
      { call: { body: many(9) } },
    ]);
    // A service that is gone comes back as it was.
    expect(diffStack(back, observed({ networks: [blogNetwork] })).operations).toMatchObject([
      { verb: 'create', call: { body: many(5) } },
    ]);
  });
});

describe('labels that are left to others', () => {
  const marked = unit({
    services: { web: service('web', labels({ mine: 'a', theirs: 'git' })) },
    ignore: ['services.web.deploy.labels.theirs', 'services.web.deploy.labels.added'],
  });
  it.each<[string, Record<string, string>, number]>([
    ['changed', { mine: 'a', theirs: 'x' }, 0],
    ['added', { mine: 'a', theirs: 'git', added: 'y' }, 0],
    ['removed', { mine: 'a' }, 0],
    ['another one is changed', { mine: 'b', theirs: 'x' }, 1],
    ['another one is added', { mine: 'a', theirs: 'x', valueOf: 'y' }, 1],
  ])('%s', (_, own, operations) => {
    expect(diffStack(marked, now(labels(own))).operations).toHaveLength(operations);
  });

  it('go along with an update as they are, also where there is none', () => {
    const at = (own: Record<string, string>) => diffStack(marked, now(labels(own))).operations;
    expect(at({ mine: 'b', theirs: 'x', added: 'y' })).toMatchObject([
      { call: { body: labels({ mine: 'a', theirs: 'x', added: 'y' }) } },
    ]);
    const [without] = at({ mine: 'b' });
    expect(without?.call).toMatchObject({ body: labels({ mine: 'a' }) });
    expect(JSON.stringify(without?.call)).not.toContain('theirs');
  });
});

it('what is left to others goes through the pipe', () => {
  const { spec } = scaled();
  expect(stackFromWire.parse(JSON.parse(JSON.stringify(stackToWire(spec))))).toEqual(spec);
});
