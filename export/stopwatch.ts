/** Says how many milliseconds have been taken so far: of a clock, or of the processor. */
export type Stopwatch = () => number;

/** That of the clock on the wall. */
export const WALL: Stopwatch = () => performance.now();
