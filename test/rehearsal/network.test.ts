import { describe, expect, it } from 'vitest';
import { networkScript, usedBy } from '../../agent/rehearsal/network.ts';
import { planStage } from '../../agent/rehearsal/plan.ts';

const plan = planStage({});

describe('networkScript', () => {
  it('is what it is', async () => {
    await expect(networkScript(plan)).toMatchFileSnapshot('../golden/rehearsal/network.sh');
  });

  it('puts nothing into the machine but one link and its address', () => {
    const outside = networkScript(plan)
      .split('\n')
      .filter((line) => line.startsWith('ip ') && !/^ip (-n|netns)/.test(line));
    expect(outside).toEqual(['ip addr add 10.213.77.1/24 dev us0', 'ip link set us0 up']);
  });

  it('gives no host a way out', () => expect(networkScript(plan)).not.toMatch(/route|default|nat/));
});

describe('usedBy', () => {
  it.each([
    ['nothing there', [], undefined],
    ['a default route', [{ dst: 'default', dev: 'eth0' }], undefined],
    ['our own link', [{ dst: '10.213.77.0/24', dev: 'us0' }], undefined],
    ['another network', [{ dst: '192.0.2.0/24', dev: 'eth0' }], undefined],
    ['the same network', [{ dst: '10.213.77.0/24', dev: 'br0' }], '10.213.77.0/24 on br0'],
    ['a wider one', [{ dst: '10.0.0.0/8', dev: 'tun0' }], '10.0.0.0/8 on tun0'],
    ['one without a link', [{ dst: '10.213.77.0/25' }], '10.213.77.0/25 on no link'],
    ['an answer of another shape', { dst: '10.213.77.0/24' }, undefined],
  ])('%s', (_, routes, expected) => expect(usedBy(routes, plan)).toBe(expected));
});
