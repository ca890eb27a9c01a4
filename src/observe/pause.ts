/** A wait that can be cut short. */
export interface Pause {
  /** Resolves after so many milliseconds, or when it is cut short. Does not keep the process alive. */
  wait(milliseconds: number): Promise<void>;
  /** Ends the wait under way. */
  cut(): void;
}

export function createPause(): Pause {
  let end = (): void => {};
  return {
    wait: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        timer.unref();
        end = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    cut: () => end(),
  };
}

/** Resolves with the promise, or after so many milliseconds. */
export async function atMost(promise: Promise<void>, milliseconds: number): Promise<void> {
  const pause = createPause();
  await Promise.race([promise, pause.wait(milliseconds)]);
  pause.cut();
}
