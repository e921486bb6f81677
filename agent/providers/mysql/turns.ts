/** Lets one work begin when the one before has ended. Undefined: too many wait. */
export type Turns = <Value>(work: () => Promise<Value>) => Promise<Value> | undefined;

/** One after the other, in the order in which they come. */
export function takingTurns(waitingMax: number): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (work) => {
    if (waiting >= waitingMax) return undefined;
    waiting += 1;
    const turn = last.then(async () => {
      waiting -= 1;
      return await work();
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}
