import { childProcesses } from './child-processes.ts';
import type { PlaceDesk } from './cli/doctor-ports.ts';
import { readClusterSettings } from './server-settings.ts';
import { examineClusters } from './providers/ceph/doctor/examine.ts';
import type { Clock } from './reconcile/ports.ts';

/** The clusters that a settings file names, to be looked at. */
export function openCephDoctor(path: string, clock: Clock): PlaceDesk {
  return {
    examine: async (signal) => {
      const read = await readClusterSettings(path);
      if (read.status !== 'ok') return read;
      const ports = { clock, processes: childProcesses, owner: read.environment };
      return { status: 'ok', findings: await examineClusters(read.ceph, ports, signal) };
    },
  };
}
