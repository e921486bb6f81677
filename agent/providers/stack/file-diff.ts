import type { Blocked, Operation } from '../../core/kind.ts';
import { fieldDiffs } from './fields.ts';
import type { FileObject } from './stack-files.ts';
import type { StackCall } from './swarm.ts';

/** What one part of a stack adds to its difference. */
export interface Part {
  readonly operations: readonly Operation<StackCall>[];
  readonly blocked: readonly Blocked[];
  readonly notes?: readonly string[];
}

/** That part is as it should be. */
export const NOTHING: Part = { operations: [], blocked: [] };

/** Pure. What makes the content be there, under its name and with its labels. */
export function fileObject({ noun, chosen, labels, make, prove }: FileObject): Part {
  const target = `${noun} ${chosen.name}`;
  const operation = { target, phase: 'add', effect: 'none' } as const;
  switch (chosen.status) {
    case 'foreign':
      return { operations: [], blocked: [foreign(target, chosen.owner)] };
    case 'make': {
      const call = make(chosen.name);
      return { operations: [{ ...operation, verb: 'create', fields: [], call }], blocked: [] };
    }
    case 'unproven': {
      const { name, carrier } = chosen;
      const call = prove?.(name, carrier);
      if (call === undefined) throw new Error(`bug: ${target} cannot be compared`);
      const fields = fieldDiffs(target, { Labels: carrier.labels }, { Labels: call.labels });
      const proof = { ...operation, verb: 'update', fields, proves: true, call } as const;
      return { operations: [proof], blocked: [] };
    }
    case 'there': {
      const { name, carrier } = chosen;
      const fields = fieldDiffs(target, { Labels: carrier.labels }, { Labels: labels });
      if (fields.length === 0) return { operations: [], blocked: [] };
      const { id, version } = carrier;
      const call: StackCall = { op: `${noun}-label`, id, version, name, labels };
      return { operations: [{ ...operation, verb: 'update', fields, call }], blocked: [] };
    }
  }
}

/** Pure. The name is somebody else's. */
export function foreign(target: string, owner: string | undefined): Blocked {
  const whose = owner === undefined ? 'does not belong to this stack' : `belongs to stack ${owner}`;
  const why = `${target} exists and ${whose}: rename one of them`;
  return { target, why, waits: false, ...(owner !== undefined && { owner: `stack/${owner}` }) };
}
