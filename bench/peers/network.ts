import { type InvertedTask, labels, pixels, type ResidualTask, type StepTask } from "../work.ts";

/** A residual block: two 3x3 convolutions, and where it strides a 1x1 on its shortcut. */
export interface Block {
  readonly in: number;
  readonly out: number;
  readonly stride: number;
}

/** All blocks of a residual network, from the stem's channels on. */
export function residualBlocks({ widths, depths }: ResidualTask): Block[] {
  return widths.flatMap((out, stage) =>
    Array.from({ length: depths[stage] }, (_, i): Block => {
      const first = stage > 0 && i === 0;
      return { in: first ? widths[stage - 1] : out, out, stride: first ? 2 : 1 };
    })
  );
}

/**
 * An inverted residual block: 1x1 to `inner` channels, unless it has as many, depthwise 3x3 with the
 * stride, and 1x1; what came in is added where sizes are the same.
 */
export interface InvertedBlock extends Block {
  readonly inner: number;
}

/** All blocks of a MobileNetV2, from the stem's channels on. */
export function invertedBlocks({ stemWidth, rows }: InvertedTask): InvertedBlock[] {
  let inputs = stemWidth;
  return rows.flatMap(({ expand, out, repeat, stride }) =>
    Array.from({ length: repeat }, (_, i): InvertedBlock => {
      const block = { in: inputs, inner: inputs * expand, out, stride: i === 0 ? stride : 1 };
      inputs = out;
      return block;
    })
  );
}

/** The images of a step in [-1, 1], `[batch, size, size, 3]`. */
export function imagesOf(task: StepTask): Float32Array<ArrayBuffer> {
  return Float32Array.from(pixels(task), (byte) => (byte / 255 - 0.5) / 0.5);
}

/** The classes of a step's images as rows of zeros with a one, `[batch, classes]`. */
export function oneHotOf(task: StepTask): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(task.batch * task.classes);
  labels(task).forEach((label, i) => rows[i * task.classes + label] = 1);
  return rows;
}

/** Added to a variance before its root is taken. */
export const EPS = 1e-5;
/** The part of a batch in the running statistics. */
export const STATISTICS_MOMENTUM = 0.1;
