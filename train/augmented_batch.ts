import type { Batch, EpochBatches } from "../data/batch.ts";
import type { Picture } from "../data/picture.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { type Feed, Images } from "./image_feed.ts";

/** A class that an image shows, in part where images are mixed. */
export interface ShownClass {
  readonly name: string;
  /** In (0, 1]; those of an image add up to 1. */
  readonly share: number;
}

/** A training image as networks see it, before it is normalised. */
export interface AugmentedImage {
  readonly picture: Picture;
  /** The classes that it is trained on, the largest share first. */
  readonly classes: readonly ShownClass[];
}

/** The classes of each image of a batch; those of mixed images are of the mirrored row as well. */
function classesOf({ labels, draws }: Batch, { dataset, mixing }: Feed): ShownClass[][] {
  const numbers = draws?.at(-1);
  const shares = mixing && numbers ? mixing.shares(numbers) : undefined;
  return Array.from(labels, (label, i) => {
    const own = dataset.classes[label];
    const other = dataset.classes[labels[labels.length - 1 - i]];
    const share = shares?.[i] ?? 1;
    if (own === other) return [{ name: own, share: 1 }];
    return [{ name: own, share }, { name: other, share: 1 - share }]
      .filter(({ share }) => share > 0).sort((a, b) => b.share - a.share);
  });
}

/** The first batch of training images, augmented as the training step does it. */
export async function augmentedBatch(
  gpu: Gpu,
  { batches, feed }: { readonly batches: EpochBatches; readonly feed: Feed },
): Promise<AugmentedImage[]> {
  using scope = gpu.scope();
  const images = new Images(scope, feed);
  const { image: { height, width }, dataset: { channels } } = feed;
  const bytes = {
    mean: new Array<number>(channels).fill(0),
    std: new Array<number>(channels).fill(1 / 255),
  };
  let shown: Tensor | undefined;
  const program = await scope.trace("augmented batch", (trace) => {
    shown = trace.keep(images.record(trace, bytes));
  });
  for await (const batch of batches.epoch(0)) {
    images.send(batch);
    program.replay();
    const [values] = await gpu.read(shown ? [shown] : []);
    const all = new Uint8ClampedArray(values);
    const size = height * width * channels;
    return classesOf(batch, feed).map((classes, i) => {
      const pixels = new Uint8Array(all.slice(i * size, (i + 1) * size));
      return { picture: { height, width, channels, pixels }, classes };
    });
  }
  return [];
}
