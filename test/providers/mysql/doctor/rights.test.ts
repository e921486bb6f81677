import { describe, expect, it } from 'vitest';

import { judgeRights, type OwnRights } from '../../../../agent/providers/mysql/doctor/rights.ts';
import { OWN_GRANT } from '../../../../agent/providers/mysql/ledger.ts';

const self = { user: "under'study", host: '%' };
const OWN = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER'];
const site = ['SELECT', 'CREATE', 'GRANT OPTION'];

/** All that is needed, and no more. */
const enough = (flavor: OwnRights['flavor'], more: Partial<OwnRights> = {}): OwnRights => ({
  self,
  flavor,
  hasRoles: false,
  partialRevokes: false,
  everything: new Set(
    flavor === 'mysql'
      ? ['CREATE USER', 'ROLE_ADMIN', 'CONNECTION_ADMIN']
      : ['CREATE USER', 'CONNECTION ADMIN'],
  ),
  databases: new Map([
    ['mysql', new Set(flavor === 'mysql' ? ['SELECT'] : ['SELECT', 'UPDATE'])],
    ...(flavor === 'mysql' ? [['performance_schema', new Set(['SELECT'])] as const] : []),
    ['understudy', new Set(OWN)],
    ['site\\_%', new Set(site)],
  ]),
  ...more,
});
const said = (rights: OwnRights) =>
  judgeRights('main', rights).map(({ severity, command = '' }) => `${severity} ${command}`);

describe.each(['mysql', 'mariadb'] as const)('what the agent may do on %s', (flavor) => {
  it('is enough where it has what it needs, or everything', () => {
    expect(said(enough(flavor))).toEqual([]);
    const all = [...OWN, 'CREATE USER', 'ROLE_ADMIN', 'CONNECTION_ADMIN', 'CONNECTION ADMIN'];
    const everything = new Set([...all, 'GRANT OPTION']);
    expect(said(enough(flavor, { everything, databases: new Map() }))).toEqual([]);
  });

  it('is told with the GRANT for each thing that is missing', () => {
    const nothing = enough(flavor, { everything: new Set(['USAGE']), databases: new Map() });
    const who = "TO 'under''study'@'%'";
    const mysql = [
      `critical GRANT CREATE USER ON *.* ${who};`,
      `critical GRANT SELECT ON \`mysql\`.* ${who};`,
      `critical GRANT SELECT ON \`performance_schema\`.* ${who};`,
      `critical ${OWN_GRANT} ${who};`,
      `warning GRANT ROLE_ADMIN ON *.* ${who};`,
      `warning GRANT CONNECTION_ADMIN ON *.* ${who};`,
      `critical GRANT ALL PRIVILEGES ON \`site\\_%\`.* ${who} WITH GRANT OPTION;`,
    ];
    const mariadb = [
      mysql[0],
      mysql[1],
      mysql[3],
      `warning GRANT CONNECTION ADMIN ON *.* ${who};`,
      `note GRANT UPDATE ON \`mysql\`.* ${who};`,
      mysql[6],
    ];
    expect(said(nothing)).toEqual(flavor === 'mysql' ? mysql : mariadb);
  });

  it.each([
    ['by a pattern', 'under%', false, 0],
    ['by an escaped name', 'understud\\y', false, 0],
    ['by a pattern of one character', 'understud_', false, 0],
    ['by a pattern of another name', 'under\\_%', false, 1],
    ['by a pattern, where patterns open nothing', 'under%', true, 1],
  ])('is enough where it is given %s', (_, stored, partialRevokes, missing) => {
    const { databases } = enough(flavor);
    const given = new Map([...databases].filter(([name]) => name !== 'understudy'));
    const rights = { databases: new Map([...given, [stored, new Set(OWN)]]), partialRevokes };
    expect(said(enough(flavor, rights))).toHaveLength(missing);
  });

  it('is what the most specific of several gives, and no other', () => {
    const { databases } = enough(flavor);
    const poor = new Map([
      ...databases,
      ['understudy', new Set(['SELECT'])],
      ['under%', new Set(OWN)],
    ]);
    expect(said(enough(flavor, { databases: poor }))).toHaveLength(1);
    const given = [...databases].filter(([name]) => name !== 'understudy');
    const two = [
      ['u%', new Set(['SELECT'])],
      ['under%', new Set(OWN)],
    ] as const;
    expect(said(enough(flavor, { databases: new Map([...given, ...two]) }))).toEqual([]);
  });

  it('is missing where the agent may make a database and give nothing on it', () => {
    const { databases } = enough(flavor);
    const without = new Map([...databases, ['site\\_%', new Set(['SELECT', 'CREATE'])]]);
    expect(said(enough(flavor, { databases: without }))).toHaveLength(1);
  });

  it('is too much where it makes an administrator of it', () => {
    const { everything } = enough(flavor);
    const [one] = judgeRights('main', enough(flavor, { everything: everything.union(new Set(['SUPER', 'FILE'])) })); // prettier-ignore
    expect(one).toMatchObject({
      severity: 'note',
      code: 'mysql-rights-too-many',
      what: "the agent's account may FILE, SUPER on everything",
    });
  });

  it('is a note where a role may give it', () => {
    const [one] = judgeRights('main', enough(flavor, { everything: new Set(), hasRoles: true }));
    expect(one).toMatchObject({ severity: 'note', what: expect.stringContaining('unless a role') });
  });
});
