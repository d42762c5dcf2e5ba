import { arePictures } from "../../data/pictures.ts";
import { encodePicture } from "../../pictures/encode.ts";
import type { Prediction, Predictions } from "../../train/predictions.ts";
import type { TrainResult } from "../../train/train.ts";
import { scaled } from "../report/image_grid.ts";
import { shownTo } from "../report/mistakes_picture.ts";
import type { Example } from "./kept_report.ts";

/** What a network says of an image by its place in the set. */
type Saying = Omit<Prediction, "ofLabel">;

/** Examples of each kind at most. */
export const EXAMPLES = 12;
/** Pixels of a side that a thumbnail has at most, and up to which none is lost. */
const [LARGEST, LOSSLESS] = [96, 48];

/** An image, and what networks say of it by their names. */
export interface Told {
  readonly place: number;
  readonly label: number;
  readonly said: Readonly<Record<string, Saying>>;
}

/** What networks say of the same images. */
export function toldBy(
  networks: readonly (readonly [name: string, predictions: Predictions])[],
): Told[] {
  const found = new Map<number, { label: number; said: Record<string, Saying> }>();
  for (const [name, predictions] of networks) {
    for (const saying of predictions.each) {
      const { place, label } = saying;
      const told = found.get(place) ?? { label, said: {} };
      found.set(place, told);
      told.said[name] = saying;
    }
  }
  return [...found].map(([place, told]) => ({ place, ...told }));
}

/** How sure both are; of images alike in that the first of the set comes first. */
function surest(names: readonly string[]): (a: Told, b: Told) => number {
  const sure = ({ said }: Told): number =>
    names.reduce((product, name) => product * (said[name]?.probability ?? 0), 1);
  return (a, b) => sure(b) - sure(a) || a.place - b.place;
}

/** The images that two networks take for different classes, those of which both are sure first. */
export function disagreements(all: readonly Told[], [one, other]: readonly string[]): Told[] {
  return all.filter(({ said }) =>
    said[one] && said[other] && said[one].predicted !== said[other].predicted
  ).toSorted(surest([one, other]));
}

/** The mistakes of a network, the most confident first. */
export function mistakesOf(all: readonly Told[], name: string): Told[] {
  return all.filter(({ said, label }) => said[name] && said[name].predicted !== label)
    .toSorted(surest([name]));
}

/** A thumbnail as a `data:` URI; nothing for an image that cannot be read any more. */
export async function thumbnail(
  validation: TrainResult["validation"],
  place: number,
): Promise<string | undefined> {
  const picture = await shownTo(validation, place);
  if (!picture) return undefined;
  const side = Math.max(picture.height, picture.width);
  const small = scaled(picture, { enlarge: 1, reduce: Math.ceil(side / LARGEST) });
  const format = Math.max(small.height, small.width) > LOSSLESS ? "jpeg" : "png";
  return `data:image/${format};base64,${(await encodePicture(small, format)).toBase64()}`;
}

/** The first of some images as examples with thumbnails. */
export async function examplesOf(
  told: readonly Told[],
  { validation, thumbnails }: {
    readonly validation: TrainResult["validation"];
    /** The thumbnail of an image by its place. */
    readonly thumbnails: (place: number) => Promise<string | undefined>;
  },
): Promise<Example[]> {
  const examples: Example[] = [];
  for (const { place, label, said } of told.slice(0, EXAMPLES)) {
    examples.push({
      image: arePictures(validation) ? validation.files[place] : place,
      label,
      said: Object.fromEntries(
        Object.entries(said).map(([name, { predicted, probability }]) => [
          name,
          { predicted, probability: Number(probability.toFixed(4)) },
        ]),
      ),
      picture: await thumbnails(place),
    });
  }
  return examples;
}
