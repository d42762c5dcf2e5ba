// What is taken by hand in the place of what is wanted: typed errors, no silent results.
import { assertThrows } from "@std/assert";
import { adjoin, type Widths } from "../nn/compress/adjoin.ts";
import { widthGroups } from "../nn/compress/width_groups.ts";
import { count, type ImageSize } from "../nn/count.ts";
import { network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";

/** A value of another type than a signature asks for, as from JavaScript. */
function misfit<T>(value: unknown): T {
  return value as T;
}

const net = model("resnet8", { classes: 2 });

Deno.test("widths that are no object of numbers by name are refused", () => {
  for (const widths of [3, null, [], "8"]) {
    assertThrows(
      () => adjoin(net, { compression: 1, widths: misfit<Widths>(widths) }),
      TypeError,
      "wanted widths by convolution",
    );
  }
});

Deno.test("divisors that occur twice are refused", () => {
  assertThrows(() => widthGroups(net, { divisors: [1, 1] }), RangeError, "different divisors");
});

Deno.test("images whose sides are no pixels are not counted", () => {
  const refuse = (image: unknown, error: ErrorConstructor, found: string) =>
    assertThrows(() => count(net, misfit<ImageSize>(image)), error, `found ${found}`);
  refuse({ height: 8.5, width: 8 }, RangeError, "8.5x8");
  refuse({ height: NaN, width: 8 }, RangeError, "NaNx8");
  refuse({ height: 0, width: 8 }, RangeError, "0x8");
  refuse({ height: 8 }, TypeError, "8x");
  refuse(undefined, TypeError, "x");
});

Deno.test("concat() says that it takes a list", () => {
  assertThrows(
    () => network({ channels: 3 }, (n) => void n.concat(misfit(n.image))),
    TypeError,
    "call concat([a, b])",
  );
});
