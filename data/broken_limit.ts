/** The part of a set that may be broken. */
export const BROKEN_PART = 0.01;

/** Whether more pictures of a set are broken than a run goes on with: more than 1 %, and than one. */
export function tooManyBroken(broken: number, count: number): boolean {
  return broken > Math.max(1, BROKEN_PART * count);
}
