import type { Dataset } from "./dataset.ts";
import { DataError } from "./error.ts";

/** The ten classes of CIFAR-10, in the order of its labels. */
export const CIFAR10_CLASSES: readonly string[] =
  "airplane automobile bird cat deer dog frog horse ship truck".split(" ");

/** The hundred fine classes of CIFAR-100, in the order of its labels. */
export const CIFAR100_CLASSES: readonly string[] = `
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm`.trim().split(/\s+/);

const SIZE = 32;
const PLANE = SIZE * SIZE;

interface Layout {
  readonly title: string;
  readonly classes: readonly string[];
  /** How many classes each label byte of a record tells apart; the last one is the label. */
  readonly labelBytes: readonly number[];
}

/** Records of label bytes and three planes of 32x32 bytes: red, green, blue. */
function parse(bytes: Uint8Array, fileName: string, layout: Layout): Dataset {
  const { title, classes, labelBytes } = layout;
  const record = labelBytes.length + 3 * PLANE;
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataError(
      `Cannot read ${fileName} as ${title}: wanted a multiple of ${record} bytes, found ${bytes.length}; download the binary version again`,
    );
  }
  const length = bytes.length / record;
  const pixels = new Uint8Array(length * PLANE * 3);
  const labels = new Uint8Array(length);
  for (let i = 0, to = 0; i < length; i++) {
    const start = i * record;
    labelBytes.forEach((count, k) => {
      labels[i] = bytes[start + k];
      if (labels[i] >= count) {
        throw new DataError(
          `Cannot read ${fileName} as ${title}: wanted labels from 0 to ${count - 1}, found ${
            labels[i]
          } in record ${i}; download the binary version again`,
        );
      }
    });
    const red = start + labelBytes.length;
    for (let at = red; at < red + PLANE; at++) {
      pixels[to++] = bytes[at];
      pixels[to++] = bytes[at + PLANE];
      pixels[to++] = bytes[at + 2 * PLANE];
    }
  }
  return {
    name: fileName,
    classes,
    length,
    height: SIZE,
    width: SIZE,
    channels: 3,
    pixels,
    labels,
  };
}

/**
 * Reads a file of CIFAR-10's binary version: records of 3073 bytes, a label and 32x32 pixels.
 * Raises a `DataError` for another size or a label above 9.
 */
export function parseCifar10(bytes: Uint8Array, fileName: string): Dataset {
  return parse(bytes, fileName, {
    title: "CIFAR-10",
    classes: CIFAR10_CLASSES,
    labelBytes: [10],
  });
}

/**
 * Reads a file of CIFAR-100's binary version: records of 3074 bytes, a coarse label (left out), a
 * fine label and 32x32 pixels. Raises a `DataError` for another size or a label out of range.
 */
export function parseCifar100(bytes: Uint8Array, fileName: string): Dataset {
  return parse(bytes, fileName, {
    title: "CIFAR-100",
    classes: CIFAR100_CLASSES,
    labelBytes: [20, 100],
  });
}
