import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mysqlAccess } from './mysql/access.ts';
import { planStage, projectFolder, type StagePlan } from './plan.ts';

/** What is pushed first. */
export const templateFolder = join(projectFolder, 'repo-template');

/** Makes the template that lies in a working copy fit this stage. */
export async function fitTemplate(folder: string, plan: StagePlan): Promise<void> {
  if (plan.mysql !== undefined) await lay(folder, 'with-mysql');
  if (plan.ceph !== undefined) await lay(folder, 'with-ceph');
  if (plan.mysql !== undefined && plan.ceph !== undefined) await lay(folder, 'with-both');
  const file = join(folder, 'environments', 'rehearsal.yaml');
  await writeFile(file, addressed(await readFile(file, 'utf8'), plan));
}

/** As its README says it to people. */
async function lay(folder: string, part: string): Promise<void> {
  const more = join(folder, part);
  await cp(more, folder, { recursive: true });
  await rm(more, { recursive: true });
}

/** Pure. The template names the addresses of a stage in the usual network, with one database server. */
export function addressed(text: string, plan: StagePlan): string {
  const usual = planStage({ packages: plan.packages, mysql: 'single' });
  const fit = text.replaceAll(usual.registry, plan.registry);
  return plan.mysql === undefined ? fit : fit.replaceAll(hostsOf(usual), hostsOf(plan));
}

function hostsOf(plan: StagePlan): string {
  return mysqlAccess(plan)?.siteHosts.join(' ') ?? '';
}
