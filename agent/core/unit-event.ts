import type { Failure, Id } from './kind.ts';
import type { Request } from './unit.ts';

/** What a step changed, for people. `event` is the constant message. */
export type UnitEvent = { readonly id: Id } & (
  | { readonly event: 'unit adopted' }
  | { readonly event: 'unit healthy'; readonly revision: string; readonly ms: number }
  | ({
      /** A digest is quarantined. `next`: what happens now. */
      readonly event: 'unit failed';
      readonly revision: string;
      readonly next: 'rolling back' | 'stopping' | 'stuck' | 'left as it is';
    } & Failure)
  | {
      /** Healthy again at an earlier release; `revision` brought that one. */
      readonly event: 'unit rolled back';
      readonly revision: string;
      readonly ms: number;
    }
  | {
      /**
       * It goes back because this one did, which it depends on: the same revision had changed both. Or, with
       * `rollout.onFailure: rollback`, because too many units of the revision failed.
       */
      readonly event: 'unit taken back';
      readonly because: Id | 'rollout';
      readonly revision: string;
    }
  /** The same, but it stays as it is. */
  | { readonly event: 'unit not taken back'; readonly because: Id; readonly why: string }
  /** It was never healthy, so there is nothing to go back to: its services stand at 0. */
  | { readonly event: 'unit stopped'; readonly ms: number }
  | ({ readonly event: 'unit stuck' } & Failure)
  /** Another digest came before the last one was healthy. */
  | { readonly event: 'unit superseded'; readonly revision: string }
  /** A cause outside holds it up; `long`: for more than 15 minutes. */
  | { readonly event: 'unit waiting'; readonly why: string; readonly long: boolean }
  | { readonly event: 'unit going on' }
  /** It left the repository, and these are taken away. */
  | { readonly event: 'unit removing'; readonly targets: readonly string[] }
  | {
      readonly event: 'unit removed';
      readonly ms: number;
      /** What of it is there still, in words; absent: nothing, or nothing that counts. */
      readonly stays?: readonly string[];
    }
  /** It left the repository and is stopped, so that this one can take its place. */
  | { readonly event: 'unit making place'; readonly to: Id }
  /** It had made place, and this one does not take it: it runs again. */
  | { readonly event: 'unit coming back'; readonly because: Id }
  | { readonly event: 'request taken'; readonly verb: Request['verb']; readonly by: string }
  | {
      readonly event: 'request refused';
      readonly verb: Request['verb'];
      readonly by: string;
      readonly why: string;
    }
);
