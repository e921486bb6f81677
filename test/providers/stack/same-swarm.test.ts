import { expect, it } from 'vitest';

import { isSameSwarm } from '../../../agent/providers/stack/same-swarm.ts';
import type {
  ObservedConfig,
  ObservedNetwork,
  SwarmState,
} from '../../../agent/providers/stack/swarm.ts';
import { live, node, observed, service } from '../../fakes/stack.ts';

const HEAD = 'understudy.head';
const config = (name: string, labels = {}, id = `id-${name}`): ObservedConfig => ({
  id,
  name,
  version: 1,
  labels,
  data: '',
});
const page = config('page');
const web = live(service('web'));
const m1 = node('m1');
const back: ObservedNetwork = {
  id: 'n1',
  name: 'back',
  scope: 'swarm',
  labels: {},
  driver: 'overlay',
  internal: false,
  attachable: false,
  options: {},
  ipamDriver: '',
  subnets: [],
};

function state(parts: Partial<SwarmState> = {}): SwarmState {
  const { state: all } = observed({
    services: [web],
    nodes: [m1],
    configs: [config(HEAD), page],
    freshTaskIds: new Set(['t1']),
    ...parts,
  });
  return all;
}

it.each<[what: string, later: Partial<SwarmState>]>([
  ['with the same objects in other lists', {}],
  ['with other labels of the head', { configs: [config(HEAD, { lease: '2' }), page] }],
])('is the same %s', (_what, later) => {
  expect(isSameSwarm(state(), state(later), HEAD)).toBe(true);
});

it.each<[what: string, later: Partial<SwarmState>]>([
  ['a service was read anew', { services: [live(service('web'))] }],
  ['a service is gone', { services: [] }],
  ['a node came', { nodes: [m1, node('w1')] }],
  ['a network came', { networks: [back] }],
  ['the head is another one', { configs: [config(HEAD, {}, 'id-2'), page] }],
  ['another config has other labels', { configs: [config(HEAD), config('page', { a: 'b' })] }],
  ['a config came', { configs: [config(HEAD), page, config('other')] }],
  ['a task is no longer of the current spec', { freshTaskIds: new Set() }],
  ['another task is', { freshTaskIds: new Set(['t2']) }],
])('is another one where %s', (_what, later) => {
  expect(isSameSwarm(state(), state(later), HEAD)).toBe(false);
});
