/** How a program ended, or that it never began. */
export type Ending =
  | { readonly how: 'not-started'; readonly code: string }
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly name: string };

/** What is done with what a program says. */
export interface Heard {
  readonly data: (chunk: Uint8Array) => void;
  /** Once, after everything that it said. */
  readonly ended: (ending: Ending) => void;
}

/** A program that runs. */
export interface Running {
  /** Bytes for its standard input. Nothing is known of whether it reads them. */
  send(text: string): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts programs of this machine. */
export interface Processes {
  /** With an empty environment. Its standard output is heard, its standard error is not. Never throws. */
  start(command: readonly string[], heard: Heard): Running;
}
