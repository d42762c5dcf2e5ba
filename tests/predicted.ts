import { assertAlmostEquals, assertEquals } from "@std/assert";
import { predict } from "../cli/predict.ts";
import type { FoundClass } from "../train/classifier.ts";

/** What `predict` prints for a picture, of four classes. */
export async function predicted(run: string, picture: string): Promise<FoundClass[]> {
  let text = "";
  const output = { print: (part: string) => void (text += part), printError: () => {} };
  const options = { run, pictures: [picture], top: 4, batchSize: 1, json: true, quiet: false };
  await predict(options, output);
  return JSON.parse(text)[0].predictions;
}

/** Demands the same classes in the same order, and probabilities to 1e-5. */
export function assertSameClasses(
  found: readonly FoundClass[],
  wanted: readonly FoundClass[],
): void {
  assertEquals(found.map((one) => one.class), wanted.map((one) => one.class));
  wanted.forEach(({ probability }, i) => {
    assertAlmostEquals(found[i].probability, probability, 1e-5);
  });
}
