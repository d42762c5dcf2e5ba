import { checkNumber } from "../../data/number_check.ts";
import { colorJitter } from "../../kernels/ops/color_jitter.ts";
import type { Stage } from "./stage.ts";

/** The digits in base 4 as one number. */
function inBase4(digits: Uint32Array): number {
  return digits.reduce((number, digit) => number * 4 + digit, 0);
}

/**
 * Colour jitter, as timm's `--color-jitter`: brightness, contrast and saturation are multiplied by
 * factors from max(0, 1 - strength) to 1 + strength, in random order; the hue stays. Raises a
 * `RangeError` for a strength below 0.
 */
export function jittering(strength: number): Stage {
  checkNumber("jitter colours", "the strength", strength, { from: 0 });
  const least = Math.max(0, 1 - strength);
  return {
    draw: {
      name: "color jitter",
      numbers: 5,
      fill(numbers, { length, image }) {
        const order = new Uint32Array(4);
        for (let row = 0; row < length; row++) {
          const random = image(row);
          const factor = (): number => least + (1 + strength - least) * random.uniform();
          const [brightness, contrast, saturation] = [factor(), factor(), factor()];
          order.set([0, 1, 2, 3]);
          random.shuffle(order);
          numbers.set([brightness, contrast, saturation, 0, inBase4(order)], row * 5);
        }
      },
    },
    record: (apply, images, numbers) => apply(colorJitter, [images, numbers], {})[0],
  };
}
