import { normalizeImage } from '../../../core/image.ts';
import { IMAGE_LABEL, NAMESPACE_LABEL, splitPair } from '../compose/labels.ts';
import type { Healthcheck, ServiceSpec } from '../engine-api.ts';
import type { Writing } from './context.ts';
import { deployOf, portsOf } from './deploy.ts';
import { fileUses } from './files.ts';
import { mountsOf } from './mounts.ts';
import { attachmentsOf } from './networks.ts';
import { openSecrets } from './open-secrets.ts';
import { optionsOf } from './options.ts';
import { fields, labelsOf, orAbsent, pairsOf, type Tree } from './tree.ts';
import { durationText } from './units.ts';

/** Writes one service, and into the sections of the top level what it uses. The reverse of `convertService`. */
export function serviceOf(key: string, spec: ServiceSpec, writing: Writing): Tree {
  const { ContainerSpec: container } = spec.TaskTemplate;
  for (const what of openSecrets(spec)) {
    const stands = `${what} of service ${key} stands in the file as it is`;
    writing.notes.add(`${stands}: use a secret before it goes into Git`);
  }
  return fields({
    image: imageOf(spec),
    entrypoint: orAbsent(container.Command ?? []),
    command: orAbsent(container.Args ?? []),
    environment: environmentOf(container.Env),
    ...optionsOf(spec, writing),
    labels: labelsOf(container.Labels, [NAMESPACE_LABEL]),
    ports: portsOf(spec.EndpointSpec?.Ports),
    volumes: mountsOf(container.Mounts, writing),
    networks: attachmentsOf(key, spec.TaskTemplate.Networks, writing),
    configs: fileUses('config', container.Configs, writing),
    secrets: fileUses('secret', container.Secrets, writing),
    healthcheck: healthcheckOf(container.Healthcheck),
    stop_grace_period: durationText(container.StopGracePeriod),
    deploy: deployOf(spec),
  });
}

/**
 * As the file of then had it, while that is still what runs; where somebody changed the image since, the live one whole.
 */
function imageOf(spec: ServiceSpec): string {
  const { Image: live } = spec.TaskTemplate.ContainerSpec;
  const written = spec.Labels?.[IMAGE_LABEL] ?? '';
  const read = normalizeImage(written);
  if (!('familiar' in read)) return live;
  return live === read.familiar || live.startsWith(`${read.familiar}@sha256:`) ? written : live;
}

function environmentOf(variables: readonly string[] | undefined): Tree | undefined {
  const pairs = (variables ?? []).map(splitPair);
  return pairsOf(new Map(pairs.map(([name, value]) => [name, value ?? null])));
}

function healthcheckOf(check: Healthcheck | undefined): Tree | undefined {
  if (check === undefined) return undefined;
  const { Test: test, ...others } = check;
  const isOff = test?.length === 1 && test[0] === 'NONE' && Object.keys(others).length === 0;
  if (isOff) return fields({ disable: true });
  return fields({
    test: orAbsent(test ?? []),
    interval: durationText(check.Interval),
    timeout: durationText(check.Timeout),
    start_period: durationText(check.StartPeriod),
    start_interval: durationText(check.StartInterval),
    retries: check.Retries,
  });
}
