import { printable } from "../data/printable.ts";
import type { AnySplit } from "../data/dataset.ts";
import { type Checkpoint, encodeCheckpoint } from "../export/checkpoint.ts";
import { UsageError } from "./errors.ts";
import { type Given, parseGiven } from "./given.ts";

/** The base network of a file; the one that there is where there is none. */
export function baseIn(networks: readonly Checkpoint[]): Checkpoint {
  return networks.find(({ which }) => which === "base") ?? networks[0];
}

/** The weights of a network, to start from. */
export function givenOf({ network, state, ...info }: Checkpoint, file: string): Given {
  return parseGiven(encodeCheckpoint(network, state, info), file);
}

/** Raises a {@link UsageError} for a teacher of other classes or images than those of a run. */
export function demandTeacher(teacher: Checkpoint, { train }: AnySplit, file: string): void {
  const { classes, channels, name } = train;
  if (teacher.classes.join() === classes.join() && teacher.image[2] === channels) return;
  throw new UsageError(
    `Cannot distill from ${printable(file, 300)}: it tells ${teacher.classes.length} classes of ` +
      `images with ${teacher.image[2]} channels apart, ${name} has ${classes.length} of its own ` +
      `with ${channels}; train a teacher on the same data set`,
  );
}
