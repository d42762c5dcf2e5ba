/** A tensor, or its values. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** Images that an op takes. */
interface Wanted {
  /** The numbers of channels that they may have, in words. */
  readonly channels: "1 or 3" | "1 to 4";
}

/** Raises a `TypeError` unless an input is images `[batch, height, width, channels]`. */
export function checkImages(op: string, { shape }: Shaped, { channels }: Wanted): void {
  const possible = channels === "1 or 3" ? [1, 3] : [1, 2, 3, 4];
  if (shape.length === 4 && possible.includes(shape[3])) return;
  throw new TypeError(
    `Cannot apply ${op}: wanted images [batch, height, width, ${channels} channels], found ` +
      `[${shape}]`,
  );
}

/** Raises a `TypeError` unless there are images, and the named numbers for each of them. */
export function checkAugmented(
  op: string,
  [x, numbers]: readonly Shaped[],
  { channels, names }: Wanted & { readonly names: readonly string[] },
): void {
  checkImages(op, x, { channels });
  const [batch] = x.shape;
  if (numbers.shape.join() === `${batch},${names.length}`) return;
  throw new TypeError(
    `Cannot apply ${op}: wanted numbers [${batch}, ${names.length}] of (${names.join(", ")}), ` +
      `found [${numbers.shape}]`,
  );
}
