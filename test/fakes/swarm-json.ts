import type { FakeNetwork, FakeFile } from './swarm-answers.ts';
import type { FakeNode, FakeService, FakeTask } from './swarm-world.ts';

/** A service as the API gives it. */
export function serviceJson(service: FakeService): object {
  const { id, version, createdAt, updatedAt, spec, previous, update } = service;
  return {
    ID: id,
    Version: { Index: version },
    CreatedAt: createdAt,
    UpdatedAt: updatedAt,
    Spec: spec,
    PreviousSpec: previous,
    Endpoint: { Spec: spec.EndpointSpec ?? {} },
    UpdateStatus: update,
  };
}

/** A task as the API gives it. */
export function taskJson(task: FakeTask): object {
  const { error, exitCode } = task;
  const placed = task.nodeId !== undefined && task.state !== 'assigned';
  return {
    ID: task.id,
    Version: { Index: task.version },
    CreatedAt: task.createdAt,
    UpdatedAt: task.timestamp,
    Labels: {},
    Spec: task.template,
    ServiceID: task.serviceId,
    Slot: task.slot,
    NodeID: task.nodeId,
    Status: {
      Timestamp: task.timestamp,
      State: task.state,
      Message: task.message,
      ...(error === undefined ? {} : { Err: error }),
      ...(placed
        ? { ContainerStatus: { ContainerID: `c${task.id}`, PID: 1, ExitCode: exitCode ?? 0 } }
        : {}),
      PortStatus: {},
    },
    DesiredState: task.desiredState,
  };
}

/** A node as the API gives it. */
export function nodeJson(node: FakeNode): object {
  const manager = { Leader: true, Reachability: 'reachable', Addr: `${node.address}:2377` };
  return {
    ID: node.id,
    Version: { Index: 9 },
    UpdatedAt: node.updatedAt,
    Spec: { Labels: node.labels, Role: node.role, Availability: node.availability },
    Description: {
      Hostname: node.hostname,
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Resources: { NanoCPUs: 2_000_000_000, MemoryBytes: 4_000_000_000 },
      Engine: {
        EngineVersion: '20.10.24',
        Plugins: [],
        ...(node.engineLabels && { Labels: node.engineLabels }),
      },
    },
    Status: { State: node.state, Addr: node.address },
    ...(node.role === 'manager' ? { ManagerStatus: manager } : {}),
  };
}

/** A network as the API gives it. */
export function networkJson(network: FakeNetwork): object {
  const { id, name, scope, createdAt, body, labels, options, ipam } = network;
  return {
    Name: name,
    Id: id,
    Created: createdAt,
    Scope: scope,
    Driver: body['Driver'] ?? 'bridge',
    EnableIPv6: false,
    IPAM: ipam,
    Internal: body['Internal'] ?? false,
    Attachable: body['Attachable'] ?? false,
    Ingress: body['Ingress'] ?? false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: null,
    Options: options,
    Labels: labels,
  };
}

/** A config or secret as the API gives it; the data of a secret never comes back. */
export function fileJson(file: FakeFile, kind: 'configs' | 'secrets'): object {
  return {
    ID: file.id,
    Version: { Index: file.version },
    CreatedAt: file.createdAt,
    UpdatedAt: file.updatedAt,
    Spec: {
      Name: file.name,
      Labels: file.labels,
      ...(kind === 'configs' ? { Data: file.data } : {}),
      ...(file.templating === undefined ? {} : { Templating: file.templating }),
    },
  };
}
