import { expect, it } from 'vitest';

import { again } from '../../agent/rehearsal/follow.ts';
import { parseRehearse } from '../../agent/rehearsal/arguments.ts';
import { planStage } from '../../agent/rehearsal/plan.ts';

it.each([
  [['--mysql', 'single'], ''],
  [['--mysql', 'group', '--ceph'], ' --mysql group --ceph'],
  [['--ceph', '--mysql', 'single'], ' --ceph'],
  [['--full'], ' --full'],
  [['--full', '--mysql', 'galera'], ' --mysql galera --ceph'],
  [[], ' --mysql none'],
])('the command for another call means the same stage: %j', (args, told) => {
  const wanted = parseRehearse(args);
  if (typeof wanted === 'string') throw new Error(wanted);
  const plan = planStage(wanted.stage);
  const line = again(plan);
  expect(line.endsWith(`/rehearse${told}`)).toBe(true);
  expect(plan.hosts).toHaveLength(args.includes('--full') ? 6 : 4);
});
