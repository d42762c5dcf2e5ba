import { unusable } from "./option_value.ts";

/** Raises a `UsageError` for `--sandwich` where so few small networks leave none to draw from. */
export function checkSandwich(sandwich: number | undefined, count: number): void {
  if (sandwich === undefined || sandwich < count) return;
  throw unusable(
    count === 1
      ? "--sandwich has an effect on several small networks alone, found one; name more " +
        "with --compression"
      : `--sandwich is less than the ${count} small networks, found ${sandwich}`,
  );
}
