import type { Service } from '../../../../schemas/compose-service.ts';
import { normalizeImage } from '../../../core/image.ts';
import type { Path } from '../../../core/parse.ts';
import type { ConfigReference, ContainerSpec, ServiceSpec, TaskTemplate } from '../engine-api.ts';
import { convertOptions } from './container.ts';
import type { Context } from './context.ts';
import type { ConvertedCredential } from './credential.ts';
import { convertCredential } from './credential.ts';
import { convertMode, convertPlacement, convertRestart, convertUpdate } from './deploy.ts';
import { readDuration } from './durations.ts';
import { convertEnvironment } from './environment.ts';
import type { FileUse } from './files.ts';
import { convertFileUses } from './files.ts';
import { convertHealthcheck } from './healthcheck.ts';
import { IMAGE_LABEL, NAMESPACE_LABEL, convertLabels, noteDuplicates } from './labels.ts';
import { convertLogging } from './logging.ts';
import { convertMounts } from './mounts.ts';
import { bytewise, dnsNameProblem } from './names.ts';
import { convertAttachments } from './networks.ts';
import { imageToSend } from './pins.ts';
import type { PortEntry } from './ports.ts';
import { convertPorts } from './ports.ts';
import { present } from './present.ts';
import { convertEndpoint } from './publish.ts';
import { convertResources } from './resources.ts';
import { convertOldRestart } from './restart.ts';
import { splitWords } from './words.ts';

/** One service as Swarm takes it, and what it uses of the rest of the file. */
export interface ConvertedService {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly ports: readonly PortEntry[];
  readonly networks: readonly string[];
  /** Also one that is mounted nowhere but holds the credentials. */
  readonly configs: readonly Omit<FileUse, 'file'>[];
  readonly secrets: readonly FileUse[];
}

/**
 * Converts one service. What is always sent and what only if its key is there follows `docker stack deploy` exactly:
 * to the engine an empty part and an absent one differ, and the difference restarts tasks.
 */
export function convertService(name: string, service: Service, context: Context): ConvertedService {
  const { notes, stack } = context;
  const path = ['services', name];
  const deploy = service.deploy ?? {};
  const at = [...path, 'deploy'];
  const problem = dnsNameProblem(`${stack}_${name}`);
  if (problem !== undefined) notes.errorAtKey('wrong-name', path, problem);
  noteDuplicates(service.labels, [...path, 'labels'], notes);
  noteDuplicates(deploy.labels, [...at, 'labels'], notes);

  const ports = convertPorts(service.ports, [...path, 'ports'], notes);
  const { attachments, used: networks } = convertAttachments(name, service, path, context);
  const configs = convertFileUses('config', service, path, context);
  const secrets = convertFileUses('secret', service, path, context);
  const credential = convertCredential(
    service.credential_spec,
    [...path, 'credential_spec'],
    context,
  );
  const task: TaskTemplate = {
    ContainerSpec: container(service, path, context, { configs, secrets, credential }),
    Resources: convertResources(deploy.resources, [...at, 'resources'], notes),
    ...present({
      RestartPolicy: restartOf(service, path, context),
      LogDriver: convertLogging(service.logging, [...path, 'logging'], context),
    }),
    Placement: convertPlacement(deploy.placement, [...at, 'placement'], notes),
    Networks: attachments,
    ForceUpdate: 0,
  };
  const spec: ServiceSpec = {
    Name: `${stack}_${name}`,
    Labels: convertLabels(deploy.labels, {
      [IMAGE_LABEL]: service.image ?? '',
      [NAMESPACE_LABEL]: stack,
    }),
    TaskTemplate: task,
    Mode: convertMode(deploy, at, notes),
    ...present({
      UpdateConfig: convertUpdate('update_config', deploy, at, notes),
      RollbackConfig: convertUpdate('rollback_config', deploy, at, notes),
    }),
    EndpointSpec: convertEndpoint(deploy.endpoint_mode, ports, [...at, 'endpoint_mode'], notes),
  };
  const { config } = credential;
  const used = config === undefined ? configs : [...configs, config];
  return { name, spec, ports, networks, configs: used, secrets };
}

/** `restart` counts where there is no `deploy.restart_policy`. */
function restartOf(
  service: Service,
  path: Path,
  { notes }: Context,
): TaskTemplate['RestartPolicy'] {
  const policy = service.deploy?.restart_policy;
  const at = [...path, 'restart'];
  if (policy === undefined) return convertOldRestart(service.restart, at, notes);
  if (service.restart !== undefined) {
    notes.warn('ignored-key', at, '`restart` has no effect beside `deploy.restart_policy`');
  }
  return convertRestart(policy, [...path, 'deploy', 'restart_policy'], notes);
}

interface Files {
  readonly configs: readonly FileUse[];
  readonly secrets: readonly FileUse[];
  readonly credential: ConvertedCredential;
}

function container(service: Service, path: Path, context: Context, files: Files): ContainerSpec {
  const { notes, stack } = context;
  const secrets = files.secrets.map(({ name, file }) => ({ File: file, SecretName: name }));
  const configs = configReferences(files);
  const grace = [...path, 'stop_grace_period'];
  return {
    Image: imageOf(service, path, context),
    Labels: convertLabels(service.labels, { [NAMESPACE_LABEL]: stack }),
    ...present({
      Command: wordsOf(service.entrypoint, [...path, 'entrypoint'], context),
      Args: wordsOf(service.command, [...path, 'command'], context),
      Env: convertEnvironment(service, path, context),
      Healthcheck: convertHealthcheck(service.healthcheck, [...path, 'healthcheck'], notes),
      Mounts: convertMounts(service.volumes, [...path, 'volumes'], context),
      StopGracePeriod: readDuration(service.stop_grace_period, grace, notes, 'hardly negative'),
      Secrets: secrets.length === 0 ? undefined : secrets,
      Configs: configs.length === 0 ? undefined : configs,
    }),
    ...convertOptions(service, path, context),
    Privileges: {
      CredentialSpec: files.credential.spec,
      SELinuxContext: null,
      NoNewPrivileges: false,
    },
  };
}

/** The mounted ones, and the one of the credentials, by name. */
function configReferences({ configs, credential }: Files): ConfigReference[] {
  const mounted = configs.map(({ name, file }) => ({ File: file, ConfigName: name }));
  const { config } = credential;
  if (config === undefined) return mounted;
  return [{ Runtime: {}, ConfigName: config.name }, ...mounted].toSorted((one, other) =>
    bytewise(one.ConfigName, other.ConfigName),
  );
}

function imageOf(service: Service, path: Path, context: Context): string {
  const { image } = service;
  if (image === undefined || image === '') return '';
  const read = normalizeImage(image);
  if ('familiar' in read) return imageToSend(read, [...path, 'image'], context);
  context.notes.error(
    'image-reference',
    [...path, 'image'],
    read.problem,
    'write an image such as `ghcr.io/owner/name:1.2`',
  );
  return image;
}

function wordsOf(
  written: string | readonly string[] | undefined,
  path: Path,
  { notes }: Context,
): string[] | undefined {
  if (written === undefined) return undefined;
  const cut = typeof written === 'string' ? splitWords(written) : { words: written };
  if ('problem' in cut) {
    notes.error(
      'wrong-value',
      path,
      `the command line cannot be cut into words: ${cut.problem}`,
      'write the words as a list',
    );
    return undefined;
  }
  return cut.words.length === 0 ? undefined : [...cut.words];
}
