import { join } from 'node:path';

/** Where the MySQL Router of a stage lives. */
export interface RouterPlace {
  readonly address: string;
  /** Its network namespace, as under /run/netns. */
  readonly namespace: string;
  readonly folder: string;
}

/** As MySQL's own set-up gives it to whoever reads and writes. */
export const routerPort = 6446;

/** Pure. `network`: the first three numbers of the stage's addresses. */
export function routerPlaceOf({
  name,
  network,
  folder,
}: {
  readonly name: string;
  readonly network: string;
  readonly folder: string;
}): RouterPlace {
  const namespace = `${name}-router`;
  return { address: `${network}.36`, namespace, folder: join(folder, 'router') };
}
