import type { PlaceDesk } from './cli/doctor-ports.ts';
import { examineServers } from './providers/mysql/doctor/examine.ts';
import type { Clock } from './reconcile/ports.ts';
import { readServerSettings } from './server-settings.ts';

/** The servers that a settings file names, to be looked at. */
export function openMysqlDoctor(path: string, clock: Clock): PlaceDesk {
  return {
    examine: async (signal) => {
      const read = await readServerSettings(path);
      if (read.status !== 'ok') return read;
      return { status: 'ok', findings: await examineServers(read.mysql, clock, signal) };
    },
  };
}
