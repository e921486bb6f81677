import { z } from 'zod';

import { Name } from '../schemas/common.ts';
import { MysqlServerSettings } from '../schemas/settings.ts';
import type { MysqlDesk } from './cli/doctor-ports.ts';
import { check } from './core/check.ts';
import { readDocument } from './core/document.ts';
import { examineServers } from './providers/mysql/doctor/examine.ts';
import type { Clock } from './reconcile/ports.ts';
import { readSmallFile } from './small-file.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** Only what is looked at: the rest of the settings may be wrong, or of another version. */
const Servers = z.looseObject({ mysql: z.record(Name, MysqlServerSettings).default({}) });

/** The servers that a settings file names, to be looked at. */
export function openMysqlDoctor(path: string, clock: Clock): MysqlDesk {
  return {
    examine: async (signal) => {
      const file = await readSmallFile(path, FILE_BYTES_MAX);
      if (file.text === undefined) return { status: 'failed', why: `${path}: ${file.why}` };
      const { located } = readDocument(path, file.text, {
        schema: z.looseObject({}),
        unsupported: [],
      });
      const checked = located && check(located, Servers);
      if (checked?.value === undefined) {
        const [mistake] = checked?.diagnostics ?? [];
        return {
          status: 'failed',
          why: `${path}: ${mistake?.message ?? 'it is no YAML document'}`,
        };
      }
      const { mysql } = checked.value;
      if (Object.keys(mysql).length === 0) {
        return { status: 'failed', why: `${path} names no server: it has no \`mysql\`` };
      }
      return { status: 'ok', findings: await examineServers(mysql, clock, signal) };
    },
  };
}
