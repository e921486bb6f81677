import { describe, expect, it } from 'vitest';

import { lockedNote } from '../../agent/cli/age-key.ts';
import { leftOut, withoutClosed } from '../../agent/cli/plan-closed.ts';
import { compareUnits } from '../../agent/planning.ts';
import { small } from '../fakes/repository.ts';
import { render, seal, told } from './sealed-support.ts';

const VALUE = 'canary-71f0';
const COMPOSE = 'stacks/blog/compose.yaml';
const OTHER = 'stacks/other/compose.yaml';
const ENVIRONMENT = 'environments/production.yaml';
const plain = 'services: {web: {image: "nginx:1.29"}}\n';
const text = `services:\n  web:\n    image: nginx:1.29\n    environment: {A: ${VALUE}}\n`;
const environment = { encrypted_regex: '^environment$' } as const;
const variable = seal(
  ENVIRONMENT,
  `kind: Environment\nname: production\nvariables: {PASSWORD: ${VALUE}}\n`,
  { encrypted_regex: '^variables$' },
);

describe('without the key', () => {
  it('a stack with encrypted variables is planned with what stands for them', () => {
    const { units, diagnostics } = render(seal(COMPOSE, text, environment), 'passer-by');
    expect(diagnostics).toEqual([]);
    expect(units).toMatchObject([{ locked: 1, spec: { hidden: { web: ['A'] } } }]);
    expect(units[0]?.closed).toBeUndefined();
    expect(units[0]?.spec.services['web']?.TaskTemplate.ContainerSpec.Env?.[0]).toMatch(/^A=ENC\[/);
  });

  it('so is one that takes an encrypted variable, and no other', () => {
    const service = 'services: {web: {image: nginx, environment: {A: "x${PASSWORD}"}}}\n';
    const { units } = render({ ...variable, [COMPOSE]: service, [OTHER]: plain }, 'passer-by');
    expect(units.map(({ id, locked, closed }) => [id, locked, closed])).toEqual([
      ['stack/blog', 1, undefined],
      ['stack/other', undefined, undefined],
    ]);
  });

  it.each`
    why                         | contents
    ${'its Compose file'}       | ${seal(COMPOSE, text)}
    ${'its stack.yaml'}         | ${seal('stacks/blog/stack.yaml', 'kind: Stack\nhealth: {timeout: 5m}\n')}
    ${'a variable in an image'} | ${{ ...variable, [COMPOSE]: 'services: {web: {image: "${PASSWORD}"}}\n' }}
    ${'an item of a list'}      | ${seal(COMPOSE, text.replace('{A: canary-71f0}', '[A=b]'), environment)}
  `('a stack cannot be judged for $why, and others are complete', ({ contents }) => {
    const { units, diagnostics } = render({ ...contents, [OTHER]: plain }, 'passer-by');
    expect(diagnostics).toEqual([]);
    expect(units.map(({ id, closed }) => [id, closed])).toEqual([
      ['stack/blog', true],
      ['stack/other', undefined],
    ]);
    expect(units[0]?.spec.services).toEqual({});
    expect(lockedNote(units)).toContain('stack/blog is encrypted: not compared without the key');
  });

  it('the form is checked, and what is certainly wrong in any case', () => {
    const bare = String(seal(COMPOSE, text)[COMPOSE]).replace(/image: ENC.*/, 'image: hunter2');
    expect(told(render({ [COMPOSE]: bare }, 'passer-by'))).toEqual([`not-encrypted ${COMPOSE}:3`]);
    const stack = { 'stacks/blog/stack.yaml': 'kind: Stack\nprunee: true\n' };
    expect(told(render({ ...seal(COMPOSE, text), ...stack }, 'passer-by'))).toEqual([
      'unknown-key stacks/blog/stack.yaml:2',
    ]);
  });

  it('two revisions are compared in what is known', () => {
    const revision = (more: string) =>
      render({ ...seal(COMPOSE, text), [OTHER]: plain.replace('nginx', more) }, 'passer-by').units;
    const [before, after] = [revision('nginx'), revision('caddy')];
    const plan = withoutClosed(compareUnits('production', before, after), before, after);
    expect(plan.units.map(({ id, change }) => [id, change])).toEqual([['stack/other', 'change']]);
    expect(plan.unchanged).toBe(0);
  });

  it('a stack that opens or closes is no change, and one that leaves does', () => {
    const closed = render(seal(COMPOSE, text), 'passer-by').units;
    const open = render(small, 'passer-by').units;
    for (const [before, after] of [
      [closed, open],
      [open, closed],
    ] as const) {
      const plan = withoutClosed(compareUnits('production', before, after), before, after);
      expect([plan.units, plan.unchanged, plan.notes]).toEqual([[], 0, []]);
    }
    const plan = withoutClosed(compareUnits('production', closed, []), closed, []);
    expect(plan.notes).toEqual([
      'stack/blog is removed: what it has is encrypted and not known here',
    ]);
  });

  it('what is left out of a plan neither changes nor stays', () => {
    const plan = { environment: 'production', units: [], unchanged: 3, notes: [] };
    expect(leftOut(plan, new Set(['stack/blog'])).unchanged).toBe(2);
  });
});
