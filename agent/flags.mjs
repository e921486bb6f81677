/**
 * What V8 is told for the agent, which runs for months beside other things. By itself it keeps 48 MiB for new objects once
 * it was busy, and lets what is dead grow to several times what lives before it tidies up.
 */
export const agentFlags = ['--max-semi-space-size=4', '--heap-growing-percent=30'];
