import { beta } from "../../data/beta.ts";
import { checkNumber } from "../../data/number_check.ts";
import type { PictureSize } from "../../data/picture.ts";
import type { Random } from "../../data/random.ts";
import { mixPictures } from "../../kernels/ops/mix_pictures.ts";
import type { Mixing } from "./stage.ts";

/** What {@link mixing} mixes. */
export interface MixingOptions extends PictureSize {
  /** Both shapes of the beta distribution that shares of mixup are drawn from; 0 for no mixup. */
  readonly mixup: number;
  /** Those of CutMix; 0 for none. */
  readonly cutmix: number;
}

/** Numbers of an image: the share, then the rectangle of the partner (y, x, height, width). */
type MixNumbers = [share: number, y: number, x: number, height: number, width: number];

/**
 * The rectangle of a part 1 - share of the area around a random point, as far as it lies within the
 * image, with the share that is left.
 */
function cut(random: Random, share: number, { height, width }: PictureSize): MixNumbers {
  const side = Math.sqrt(1 - share);
  const range = (length: number): [number, number] => {
    const half = Math.floor(Math.floor(length * side) / 2);
    const center = random.integer(length);
    const from = Math.max(center - half, 0);
    return [from, Math.min(center + half, length) - from];
  };
  const [y, h] = range(height);
  const [x, w] = range(width);
  return h * w === 0 ? [1, 0, 0, 0, 0] : [1 - h * w / (height * width), y, x, h, w];
}

function drawMix(random: Random, { mixup, cutmix, ...size }: MixingOptions): MixNumbers {
  const cutting = cutmix > 0 && (mixup === 0 || random.uniform() < 0.5);
  const share = beta(random, cutting ? cutmix : mixup);
  return cutting ? cut(random, share, size) : [share, 0, 0, 0, 0];
}

/**
 * Mixup and CutMix, as timm's `--mixup` and `--cutmix`: once for a batch, a share is drawn from
 * Beta(alpha, alpha); where there are both, each is as likely. Raises a `RangeError` for an alpha
 * below 0, or where both are 0.
 */
export function mixing(options: MixingOptions): Mixing {
  const { mixup, cutmix } = options;
  checkNumber("mix images", "mixup", mixup, { from: 0 });
  checkNumber("mix images", "cutmix", cutmix, { from: 0 });
  if (mixup === 0 && cutmix === 0) {
    throw new RangeError("Cannot mix images: wanted mixup or cutmix above 0, found 0 for both");
  }
  return {
    draw: {
      name: "mixing",
      numbers: 5,
      fill(numbers, { length, batch }) {
        const drawn = drawMix(batch(), options);
        for (let row = 0; row < length; row++) numbers.set(drawn, row * 5);
      },
    },
    record: (apply, images, numbers) => apply(mixPictures, [images, numbers], {})[0],
    shares: (numbers) =>
      Float32Array.from({ length: numbers.length / 5 }, (_, i) => numbers[5 * i]),
  };
}
