import { assert } from "@std/assert";

/** How often something is tried before it is said to take too much. */
const TRIES = 3;

/**
 * Demands that one of some tries takes less than so many milliseconds, and lets the memory of the
 * process grow by less than so many bytes: whatever runs beside may hold up a try, or take memory.
 */
export async function assertTakesLess(
  { milliseconds, bytes = Infinity }: { milliseconds: number; bytes?: number },
  run: () => unknown,
): Promise<void> {
  const found: string[] = [];
  for (let i = 0; i < TRIES; i++) {
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    await run();
    const took = performance.now() - start;
    const grown = Deno.memoryUsage().rss - before;
    if (took < milliseconds && grown < bytes) return;
    found.push(`${took.toFixed(0)} ms and ${(grown / 1e6).toFixed(1)} MB`);
  }
  assert(false, `wanted under ${milliseconds} ms and ${bytes / 1e6} MB, took ${found.join(", ")}`);
}
