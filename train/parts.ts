import { cure } from "../data/cure.ts";
import { plural } from "../data/words.ts";
import { OutOfMemoryError } from "../kernels/gpu.ts";

/** What a run has to be told to make it fit. */
export interface Fitting {
  /** Images of a batch. */
  readonly batchSize: number;
  /** Parts to begin with. */
  readonly parts: number;
  /** Whether more parts are taken where these do not fit. */
  readonly auto: boolean;
  /** Takes the memory that a run takes with its batches in so many parts, and gives it back. */
  readonly trial: (parts: number) => Promise<unknown>;
  /** Is told when more parts are taken. */
  readonly note: (text: string) => void;
}

/** The fewest parts of one size, more than `parts`, in which batches fit; nothing where none do. */
export async function fewestParts(
  { batchSize, trial }: Pick<Fitting, "batchSize" | "trial">,
  parts: number,
): Promise<number | undefined> {
  for (let more = parts + 1; more <= batchSize; more++) {
    if (batchSize % more) continue;
    try {
      await trial(more);
      return more;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
}

/**
 * Does a run whose batches are computed in parts, and does it again with more parts where it is out of
 * memory and may choose. Raises an {@link OutOfMemoryError} that says which batch or which parts
 * would fit, as has been tried.
 */
export async function fitted<T>(fitting: Fitting, run: (parts: number) => Promise<T>): Promise<T> {
  const { batchSize, auto, note } = fitting;
  let { parts } = fitting;
  for (;;) {
    try {
      return await run(parts);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      const fit = await fewestParts(fitting, parts);
      if (fit === undefined) {
        throw error.curedBy(
          cure`lower ${{ option: "imageSize", words: "the size of images" }}`,
          cure`take a smaller ${{ option: "model" }}`,
        );
      }
      if (!auto) {
        throw error.curedBy(
          cure`lower ${{ option: "batchSize" }} to ${batchSize * parts / fit}`,
          cure`take ${{ option: "gradAccumSteps" }} ${fit}`,
        );
      }
      parts = fit;
      note(
        `a batch of ${
          plural(batchSize, "image")
        } does not fit into the GPU's memory: it is computed ` +
          `in ${parts} parts of ${batchSize / parts}, whose gradients are averaged`,
      );
    }
  }
}
