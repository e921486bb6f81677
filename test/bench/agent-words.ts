/** What the bench asks its agent for. `look`: as a webhook does. */
export type Ask =
  | { readonly ask: 'look' }
  | { readonly ask: 'profile' }
  | { readonly ask: 'end-profile'; readonly file: string }
  | { readonly ask: 'stop' };

/** What its agent says. Times are milliseconds of a clock that both processes share. */
export type Said =
  | { readonly said: 'ready' }
  | { readonly said: 'passed'; readonly ms: number; readonly atMs: number }
  | {
      readonly said: 'event';
      readonly event: string;
      readonly revision?: string;
      readonly why?: string;
      readonly atMs: number;
      /** Calls that were answered well so far, and when the last one was. */
      readonly calls: number;
      readonly calledAtMs: number;
    }
  | { readonly said: 'profiled' };

/** Milliseconds of a clock that all processes of the machine share. */
export function sharedMs(): number {
  return performance.timeOrigin + performance.now();
}
