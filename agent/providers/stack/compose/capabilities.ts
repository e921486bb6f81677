import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { ContainerSpec } from '../engine-api.ts';
import type { Context } from './context.ts';
import { bytewise } from './names.ts';

const ALL = 'ALL';

/** Pure. A capability as the Docker CLI sends it: `net_admin` and `CAP_NET_ADMIN` are the same. */
export function capabilityName(text: string): string {
  const name = text.trim().toUpperCase();
  const isWhole = name === ALL || name === 'RESET' || name.startsWith('CAP_');
  return isWhole ? name : `CAP_${name}`;
}

/**
 * `cap_add` and `cap_drop` as the Docker CLI sends them: sorted, each once, `ALL` alone, `RESET` not at all; what is added
 * is not dropped.
 */
export function convertCapabilities(
  service: Service,
  path: Path,
  context: Context,
): Pick<ContainerSpec, 'CapabilityAdd' | 'CapabilityDrop'> {
  noteForbidden(service.cap_add ?? [], [...path, 'cap_add'], context);
  const added = effective(service.cap_add);
  const dropped = effective(service.cap_drop).filter((name) => !added.includes(name));
  return {
    ...(added.length > 0 && { CapabilityAdd: added }),
    ...(dropped.length > 0 && { CapabilityDrop: dropped }),
  };
}

function effective(written: readonly string[] = []): string[] {
  const names = new Set(written.map(capabilityName));
  names.delete('RESET');
  return names.has(ALL) ? [ALL] : [...names].toSorted(bytewise);
}

function noteForbidden(written: readonly string[], path: Path, { allow, notes }: Context): void {
  const allowed = new Set(allow.capabilities.map(capabilityName));
  if (allowed.has(ALL)) return;
  for (const [index, text] of written.entries()) {
    const name = capabilityName(text);
    if (name === 'RESET' || allowed.has(name)) continue;
    const short = name.replace(/^CAP_/, '');
    notes.error(
      'not-allowed',
      [...path, index],
      `the policy does not allow the capability \`${short}\``,
      `add \`${short}\` to \`policy.allow.capabilities\` in the environment if it must be`,
    );
  }
}
