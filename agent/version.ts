import { readFileSync } from 'node:fs';

import { z } from 'zod';

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const json: unknown = JSON.parse(text);

/** This program's version, from package.json. */
export const version = z.looseObject({ version: z.string() }).parse(json).version;
