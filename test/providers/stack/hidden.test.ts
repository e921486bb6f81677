import { describe, expect, it } from 'vitest';

import { withoutHidden } from '../../../agent/providers/stack/hidden.ts';

const env = (name: string): string => `services.web.TaskTemplate.ContainerSpec.Env${name}`;

describe('variables from encrypted files', () => {
  it.each`
    why                                     | field                                                    | shown
    ${'a hidden one that changes'}          | ${{ path: env('.A'), observed: 'old', desired: 'new' }}  | ${{ path: env('.A'), observed: '[secret]', desired: '[secret]' }}
    ${'a hidden one that is new'}           | ${{ path: env('.A'), desired: 'new' }}                   | ${{ path: env('.A'), desired: '[secret]' }}
    ${'any that the repository has not'}    | ${{ path: env('.B'), observed: 'old' }}                  | ${{ path: env('.B'), observed: '[secret]' }}
    ${'all of them, where a name is twice'} | ${{ path: env(''), observed: '["A=1"]', desired: '[]' }} | ${{ path: env(''), observed: '[secret]', desired: '[secret]' }}
    ${'another one'}                        | ${{ path: env('.B'), observed: 'old', desired: 'new' }}  | ${{ path: env('.B'), observed: 'old', desired: 'new' }}
    ${'another one of a longer name'}       | ${{ path: env('.AB'), observed: 'o', desired: 'n' }}     | ${{ path: env('.AB'), observed: 'o', desired: 'n' }}
    ${'another field that goes'}            | ${{ path: 'services.web.Labels.A', observed: 'old' }}    | ${{ path: 'services.web.Labels.A', observed: 'old' }}
  `('show $why', ({ field, shown }) => {
    expect(withoutHidden([field], 'services.web', ['A'])).toEqual([shown]);
  });

  it('are no reason to hide the whole list of a service that has none', () => {
    const field = { path: env(''), observed: '["A=1","A=2"]', desired: '["A=1"]' };
    expect(withoutHidden([field], 'services.web', undefined)).toEqual([field]);
  });
});
