import { describe, expect, it } from 'vitest';

import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { logReporter } from '../../agent/report/log.ts';

function lines(event: AgentEvent, level: 'info' | 'error' = 'info'): Record<string, unknown>[] {
  const out: string[] = [];
  logReporter(level, { write: (text) => void out.push(text) }).tell(event);
  return out.map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('is one JSON line an event: a constant message, fields beside it, whole milliseconds', () => {
    const [line] = lines({
      event: 'unit healthy',
      id: 'stack/blog',
      revision: 'abc',
      ms: 1234.5678,
    });
    expect(line).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      msg: 'unit healthy',
      id: 'stack/blog',
      revision: 'abc',
      ms: 1235,
    });
  });

  it('shows diagnostics as people read them, beside the data', () => {
    const [line] = lines({
      event: 'revision invalid',
      revision: 'abc',
      diagnostics: [{ severity: 'error', code: 'syntax', message: 'not YAML' }],
    });
    expect(line).toMatchObject({
      level: 50,
      diagnostics: [{ code: 'syntax' }],
      text: expect.stringContaining('error[syntax]: not YAML'),
    });
  });

  it.each([
    [false, 40],
    [true, 50],
  ])('raises its voice when an outage lasts (%s)', (long, level) => {
    const [line] = lines({ event: 'unit waiting', id: 'stack/blog', why: 'node w1 is down', long });
    expect(line).toMatchObject({ level, why: 'node w1 is down' });
  });

  it.each<[AgentEvent, number]>([
    [{ event: 'unit removing', id: 'stack/blog', targets: ['service blog_web'] }, 40],
    [{ event: 'unit removed', id: 'stack/blog', ms: 1.4 }, 30],
    [{ event: 'unit making place', id: 'stack/blog', to: 'stack/weblog' }, 40],
    [{ event: 'unit coming back', id: 'stack/blog', because: 'stack/weblog' }, 40],
    [{ event: 'approval refused', digest: 'abc', by: 'root@m1', why: 'it changed' }, 40],
  ])('says what is removed, and what was not approved: %j', (event, level) => {
    const [line] = lines(event);
    expect(line).toMatchObject({ level, msg: event.event });
  });

  it('keeps to the level of the settings', () => {
    expect(lines({ event: 'going on', of: 'swarm' }, 'error')).toEqual([]);
  });
});
