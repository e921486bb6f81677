/** Something asked beside the passes, of what was deployed or of what it needs. Times in milliseconds. */
export type Question =
  | {
      readonly ask: 'http';
      readonly url: string;
      /** The Host header; absent: as the address says. */
      readonly host?: string;
      /** What counts as good: any of these ranges, ends included. */
      readonly status: readonly { readonly from: number; readonly to: number }[];
      /** Text that the answer must hold. */
      readonly contains?: string;
      readonly everyMs: number;
      readonly timeoutMs: number;
      /** Addresses of this Swarm's nodes: these may be reached although they are private. */
      readonly nodes: readonly string[];
    }
  | {
      readonly ask: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly everyMs: number;
      readonly timeoutMs: number;
      readonly nodes: readonly string[];
    }
  | {
      /** Whether a registry has the image: `open` where the registry itself is out of order. */
      readonly ask: 'image';
      readonly image: string;
      readonly everyMs: number;
      /** Nothing of it was called yet. `kept`: a service may have a login for that registry that the agent does not know. */
      readonly first?: { readonly kept: boolean };
    }
  | {
      /** What a task wrote last, for people; whatever cannot be read is `open`. */
      readonly ask: 'log';
      readonly task: string;
      readonly everyMs: number;
      readonly timeoutMs: number;
    }
  | {
      /** What the last healthcheck of a container said; `open` where this engine does not have it, or has nothing of it. */
      readonly ask: 'check';
      readonly container: string;
      readonly everyMs: number;
      readonly timeoutMs: number;
    };

/** What was answered last. */
export interface Answer {
  /** `open`: nobody can tell now, for a cause outside. */
  readonly status: 'good' | 'bad' | 'open';
  /** For people: `HTTP status 500`, `connection refused`. */
  readonly detail: string;
  /** Of an image that is not to be had: it is not there, or not for who asks. */
  readonly cause?: 'missing' | 'denied';
  /** So many of this status one after another. */
  readonly inARow: number;
  /** It was good at least once since it is asked. */
  readonly wasGood: boolean;
}

/** A question under a name that stays the same while it is the same question. */
export interface Asked {
  readonly name: string;
  readonly question: Question;
}
