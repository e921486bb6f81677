import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { agentCaps } from '../../../agent/providers/ceph/agent-caps.ts';
import { projectFolder } from '../../../agent/rehearsal/plan.ts';

it('gives the agents of a stage what people are told to give them', () => {
  const text = readFileSync(join(projectFolder, 'docs/ceph.md'), 'utf8');
  const script = text
    .split('```sh\n')
    .map((part) => part.split('```')[0] ?? '')
    .find((part) => part.includes('ceph auth get-or-create client.understudy'));
  const shown = `ceph() { shift 3; for one; do echo "$one"; done; }\n${script ?? ''}`;
  const told = execFileSync('sh', ['-c', shown], { encoding: 'utf8' }).trim().split('\n');
  expect(told).toEqual(agentCaps('client.site-*'));
});
