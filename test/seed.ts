import { configureGlobal, readConfigureGlobal } from 'fast-check';

/**
 * Properties are tried with the same values each time, so that a commit that passed once passes again. `npm run
 * test:random` looks further: what it finds prints its seed, and becomes a row of a table or a rule of the property.
 */
const seed = process.env['UNDERSTUDY_SEED'] ?? '20261130';
if (seed !== 'random') configureGlobal({ ...readConfigureGlobal(), seed: Number(seed) });
