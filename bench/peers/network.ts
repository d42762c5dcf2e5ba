import { labels, pixels, type StepTask } from "../work.ts";

/** A residual block of two 3x3 convolutions. Where it strides, it has a 1x1 on its shortcut. */
export interface Block {
  readonly in: number;
  readonly out: number;
  readonly stride: number;
}

/** All blocks of a network, from the stem's channels on. */
export function blocksOf({ widths, depths }: StepTask): Block[] {
  return widths.flatMap((out, stage) =>
    Array.from({ length: depths[stage] }, (_, i): Block => {
      const first = stage > 0 && i === 0;
      return { in: first ? widths[stage - 1] : out, out, stride: first ? 2 : 1 };
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
