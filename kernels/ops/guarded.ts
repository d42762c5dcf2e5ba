type Shaped = { readonly shape: readonly number[] };

/**
 * Raises a `TypeError` unless the first `alike` inputs of an op are shaped alike and the next one is
 * a guard `[4]`.
 */
export function checkGuarded(name: string, inputs: readonly Shaped[], alike: number): void {
  const [first, ...others] = inputs.slice(0, alike);
  for (const { shape } of others) {
    if (shape.join() === first.shape.join()) continue;
    throw new TypeError(
      `Cannot apply ${name} to [${first.shape}] and [${shape}]: wanted equal shapes`,
    );
  }
  checkGuard(name, inputs[alike]);
}

/** Raises a `TypeError` for a guard that is not `[4]`. */
export function checkGuard(name: string, { shape }: Shaped): void {
  if (shape.join() === "4") return;
  throw new TypeError(`Cannot apply ${name}: wanted a guard [4], found [${shape}]`);
}
