import { describe, expect, it } from 'vitest';
import { describeEvent } from '../../agent/rehearsal/events.ts';

const line = (msg: string, fields: object): string =>
  JSON.stringify({ level: 30, time: '2026-01-01T00:00:00Z', ...fields, msg });

describe('describeEvent', () => {
  it.each([
    [
      'agent started',
      { environment: 'rehearsal', version: '1' },
      'agent started, environment rehearsal',
    ],
    [
      'revision seen',
      { revision: '0123456789abcdef', subject: 'Add a site' },
      'revision 0123456789 "Add a site"',
    ],
    [
      'revision invalid',
      { revision: '0123456789abcdef', text: 'error[x]: y\n' },
      'revision 0123456789 is invalid, nothing is applied\nerror[x]: y',
    ],
    [
      'change applied',
      { id: 'stack/a', target: 'service a_web', verb: 'create', ms: 12 },
      'stack/a: create service a_web (12 ms)',
    ],
    [
      'change failed',
      { id: 'stack/a', target: 'service a_web', why: 'no' },
      'stack/a: service a_web: no',
    ],
    ['unit verifying', { id: 'stack/a', tasks: 'web 1/2' }, 'stack/a: web 1/2'],
    ['unit healthy', { id: 'stack/a', ms: 6_540 }, 'stack/a: healthy after 6.5 s'],
    ['unit held', { id: 'stack/a', why: 'dependency' }, 'stack/a: held: dependency'],
    [
      'unit failed',
      { id: 'stack/a', why: 'sick', evidence: 'exit 1\n' },
      'stack/a: failed: sick\nexit 1',
    ],
    ['unit failed', { id: 'stack/a', why: 'sick', evidence: '' }, 'stack/a: failed: sick'],
    [
      'revision healthy',
      { revision: '0123456789abcdef', ms: 7_000 },
      'revision 0123456789 is healthy, 7.0 s after it was seen',
    ],
    [
      'revision failed',
      { revision: '0123456789abcdef', failed: ['stack/a', 'stack/b'], ms: 7_000 },
      'revision 0123456789 failed, 7.0 s after it was seen: stack/a, stack/b',
    ],
    [
      'revision failed',
      { revision: 'a', failed: ['stack/a'], rolledBack: ['stack/a'], waiting: ['stack/b'], ms: 0 },
      'revision a failed, 0.0 s after it was seen: stack/a; rolled back: stack/a; not begun, waiting for what failed: stack/b',
    ],
    [
      'revision failed',
      { revision: 'a', failed: [], rolledBack: [], waiting: ['stack/b'], ms: 0 },
      'revision a failed, 0.0 s after it was seen; not begun, waiting for what failed: stack/b',
    ],
    [
      'revision healthy',
      { revision: 'a', quarantined: ['stack/a'], waiting: ['stack/b'], ms: 0 },
      'revision a is healthy, 0.0 s after it was seen; quarantined before: stack/a; waiting as before: stack/b',
    ],
    [
      'unit taken back',
      { id: 'stack/b', because: 'stack/a', revision: '0123456789abcdef' },
      'stack/b: goes back as well: stack/a did, and revision 0123456789 had changed both',
    ],
    [
      'unit not taken back',
      { id: 'stack/b', because: 'stack/a', why: 'it has no earlier healthy release' },
      'stack/b: stays as it is though stack/a, which it depends on, went back: it has no earlier healthy release',
    ],
    [
      'unit removing',
      { id: 'stack/a', targets: ['service a_web', 'network a_default'] },
      'stack/a: left the repository, is removed: service a_web, network a_default',
    ],
    ['unit removed', { id: 'stack/a', ms: 2_000 }, 'stack/a: removed after 2.0 s'],
    [
      'unit removed',
      { id: 'mysql-database/a', ms: 2_000, stays: ['database a stays'] },
      'mysql-database/a: removed after 2.0 s; database a stays',
    ],
    [
      'unit removing',
      { id: 'mysql-database/a', targets: [] },
      'mysql-database/a: left the repository',
    ],
    [
      'unit making place',
      { id: 'stack/a', to: 'stack/b' },
      'stack/a: is stopped, stack/b takes its place',
    ],
    [
      'unit coming back',
      { id: 'stack/a', because: 'stack/b' },
      'stack/a: runs again, stack/b does not take its place',
    ],
    [
      'approval refused',
      { digest: '3f2a91c07b1e', by: 'root@m1', why: 'it changed' },
      'approve 3f2a91c07b1e asked by root@m1: it changed',
    ],
    ['unit degraded', { id: 'stack/a', tasks: 'web 1/2' }, 'stack/a: degraded: web 1/2'],
    ['unit recovered', { id: 'stack/a', tasks: 'web 2/2' }, 'stack/a: recovered: web 2/2'],
    [
      'unit notes',
      { id: 'stack/a', notes: ['a network stays', 'a volume stays'] },
      'stack/a: a network stays\nstack/a: a volume stays',
    ],
    [
      'revision healthy',
      { revision: '0123456789abcdef', ms: 7_000, suspended: ['stack/a'] },
      'revision 0123456789 is healthy, 7.0 s after it was seen; suspended, not waited for: stack/a',
    ],
    [
      'frozen',
      { by: 'root@m1', why: 'ill', until: '2026-11-20T18:00:00.000Z' },
      'frozen by root@m1, nothing is called until 2026-11-20T18:00:00.000Z: ill',
    ],
    [
      'frozen',
      { by: 'root@m1', why: 'ill' },
      'frozen by root@m1, nothing is called until understudy unfreeze: ill',
    ],
    [
      'unfrozen',
      { was: 'frozen by root@m1 until understudy unfreeze: ill' },
      'the freeze is over: it was frozen by root@m1 until understudy unfreeze: ill',
    ],
    ['waiting', { why: 'no leader' }, 'waiting: no leader'],
    ['waiting', { of: 'swarm', why: 'no leader' }, 'waiting for the Swarm: no leader'],
    ['waiting', { of: 'repository', why: 'no key' }, 'waiting for the repository: no key'],
    ['going on', { of: 'swarm' }, 'the Swarm can be read again'],
    ['going on', { of: 'repository' }, 'the repository can be read again'],
    ['lease acquired', { term: 1 }, 'leads now (term 1)'],
    [
      'lease acquired',
      { term: 8, ms: 19_240, from: 'm1' },
      'leads now (term 8), taken over from m1, 19.2 s after the last sign of life',
    ],
    ['lease acquired', { term: 8, from: 'm1' }, 'leads now (term 8), taken over from m1'],
    ['lease lost', { term: 8, why: 'no answer' }, 'leads no more (term 8): no answer'],
    ['lease released', { term: 8 }, 'gave the lead back (term 8)'],
    ['following', { leader: 'm2', term: 3 }, 'follows m2 (term 3)'],
    ['agent stopped', { why: 'asked to stop' }, 'agent stopped: asked to stop'],
    ['something new', { count: 2, list: ['a'], text: 'b' }, 'something new count=2 list=a text=b'],
  ])('%s', (msg, fields, text) => expect(describeEvent(line(msg, fields)).text).toBe(text));

  it.each(['', 'Error: boom', '{"half":', '[]', 'null', '"text"', '{"level":30}'])(
    'shows `%s`, which is no event, as it is',
    (text) => expect(describeEvent(text)).toEqual({ text, tone: 'dim' }),
  );
});
