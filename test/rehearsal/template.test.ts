import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { planStage } from '../../agent/rehearsal/plan.ts';
import { fitTemplate, templateFolder } from '../../agent/rehearsal/template.ts';
import { CephClient, CephSubvolume } from '../../schemas/ceph.ts';
import { MySQLDatabase, MySQLUser } from '../../schemas/mysql.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-template-'));
  await cp(templateFolder, folder, { recursive: true });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const read = async (path: string): Promise<string> => await readFile(join(folder, path), 'utf8');
const other = { name: 'ust', subnet: '10.213.78.0/24' };

it('names the registry of the stage, and has no database where there are no servers', async () => {
  await fitTemplate(folder, planStage(other));
  const { variables } = parse(await read('environments/rehearsal.yaml'));
  expect(variables.IMAGE).toBe('10.213.78.2:5000/site:1');
  expect(await readdir(folder)).not.toContain('mysql');
});

it.each([
  ['single', '10.213.78.31:3306'],
  ['galera', '10.213.78.31:3306 10.213.78.32:3306 10.213.78.33:3306'],
] as const)(
  'names the servers of `%s`, and lays the database beside the rest',
  async (mysql, hosts) => {
    await fitTemplate(folder, planStage({ ...other, mysql }));
    const { variables } = parse(await read('environments/rehearsal.yaml'));
    expect(variables).toMatchObject({ BLOG_IMAGE: '10.213.78.2:5000/site:db', DB_HOSTS: hosts });
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['mysql', 'stacks']));
    expect(await readdir(folder)).not.toContain('with-mysql');
    expect(await readdir(join(folder, 'stacks'))).toEqual(['blog', 'hello']);
  },
);

it('has the blog log in through the router where the stage has one', async () => {
  await fitTemplate(folder, planStage({ ...other, mysql: 'group', router: true }));
  const { variables } = parse(await read('environments/rehearsal.yaml'));
  expect(variables.DB_HOSTS).toBe('10.213.78.36:6446');
});

it('lays storage beside the rest where the stage has a cluster', async () => {
  await fitTemplate(folder, planStage({ ...other, mysql: 'single', ceph: true }));
  expect(await readdir(join(folder, 'stacks'))).toEqual(['blog', 'files', 'hello']);
  const [, subvolume, client] = parseAllDocuments(await read('ceph/files.yaml'));
  expect(CephSubvolume.parse(subvolume?.toJS()).output).toBe('FILES_PATH');
  expect(CephClient.parse(client?.toJS()).secret).toBe('files_ceph');
  expect(parse(await read('stacks/files/compose.yaml')).secrets).toEqual({
    files_ceph: { external: true },
  });
});

it('gives the blog a folder and a key beside its database', async () => {
  await fitTemplate(folder, planStage({ ...other, mysql: 'group', ceph: true }));
  expect(await readdir(folder)).not.toContain('with-both');
  const [subvolume, client] = parseAllDocuments(await read('ceph/blog.yaml'));
  expect(CephSubvolume.parse(subvolume?.toJS()).output).toBe('BLOG_PATH');
  expect(CephClient.parse(client?.toJS()).secret).toBe('blog_ceph');
  expect(parse(await read('stacks/blog/stack.yaml'))).toMatchObject({
    files: ['compose.yaml', 'files.yaml'],
    dependsOn: ['ceph-subvolume/cephfs/sites/blog'],
  });
});

it('lets the blog log in as the account that its document makes', async () => {
  await fitTemplate(folder, planStage({ mysql: 'single' }));
  const [database, user] = parseAllDocuments(await read('mysql/blog.yaml'));
  const { password, ...account } = MySQLUser.parse(user?.toJS());
  const compose = parse(await read('stacks/blog/compose.yaml'));
  expect(password).toMatchObject({ from: 'generated', secret: 'blog_db' });
  expect(compose.secrets).toEqual({ blog_db: { external: true } });
  expect(compose.services.web).toMatchObject({
    secrets: ['blog_db'],
    environment: { DB_USER: account.name, DB_NAME: MySQLDatabase.parse(database?.toJS()).name },
  });
});

it.each(['production', 'rehearsal'])(
  'says of %s with a database all that it says without',
  async (name) => {
    const plain = await read(`environments/${name}.yaml`);
    expect(await read(`with-mysql/environments/${name}.yaml`)).toContain(plain);
  },
);
