/**
 * What V8 is told for the agent, which runs for months beside other things. By itself it keeps 48 MiB for new objects once
 * it was busy, and lets what is dead grow to several times what lives before it tidies up. When all that is dead
 * is to go, the program says (agent/compacting.ts).
 */
export const agentFlags = ['--max-semi-space-size=4', '--heap-growing-percent=30', '--expose-gc'];

/**
 * What glibc's allocator is told for the agent and its renderer. By itself it gives each thread of V8 a heap of its own, and
 * keeps what was freed: tens of megabytes that nobody uses. mallopt(3); other C libraries read none of these.
 */
export const allocatorEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '8192',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
