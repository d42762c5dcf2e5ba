import { checkCount, type Dataset, pick } from "./dataset.ts";
import { arePictures, pickPictures, type PictureSet } from "./pictures.ts";
import { Random } from "./random.ts";

/** How many labels there are of each class. */
export function countClasses(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  return counts;
}

/**
 * Parts of `count` in proportion to sizes, by largest remainders; where there is one for each, none
 * of the sizes above 0 goes without.
 */
function shares(sizes: readonly number[], count: number): number[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((size) => size * count / total);
  const found = exact.map(Math.floor);
  const order = sizes.map((_, k) => k)
    .sort((a, b) => (exact[b] - found[b]) - (exact[a] - found[a]) || a - b);
  let left = count - found.reduce((a, b) => a + b, 0);
  for (const k of order) {
    if (left === 0) break;
    if (found[k] === sizes[k]) continue;
    found[k]++;
    left--;
  }
  if (count < sizes.filter((size) => size > 0).length) return found;
  for (let k = 0; k < sizes.length; k++) {
    if (sizes[k] === 0 || found[k] > 0) continue;
    found[found.indexOf(Math.max(...found))]--;
    found[k]++;
  }
  return found;
}

/** What {@link stratified} draws. */
export interface StratifiedOptions {
  /** How many; all, in their order, where there are as many. */
  readonly count: number;
  /** Of which they are drawn. */
  readonly random: Random;
}

/**
 * Places of labels, ascending: a random part with each class in proportion to how often it occurs.
 *
 * @param labels One of each image.
 */
export function stratified(
  labels: ArrayLike<number>,
  { count, random }: StratifiedOptions,
): Uint32Array {
  const ofClass = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const places = ofClass.get(labels[i]);
    if (places) places.push(i);
    else ofClass.set(labels[i], [i]);
  }
  const classes = [...ofClass.keys()].sort((a, b) => a - b)
    .map((label) => Uint32Array.from(ofClass.get(label) ?? []));
  if (count >= labels.length) return Uint32Array.from({ length: labels.length }, (_, i) => i);
  const parts = shares(classes.map((places) => places.length), count);
  const chosen = new Uint32Array(count);
  let at = 0;
  classes.forEach((places, k) => {
    random.shuffle(places);
    chosen.set(places.subarray(0, parts[k]), at);
    at += parts[k];
  });
  return chosen.sort();
}

/**
 * A random part of a set with each class in proportion; the set itself where `count` is its length. A
 * `RangeError` if it has fewer images.
 *
 * @param seed The same seed gives the same images.
 */
export function takeStratified(set: Dataset, count: number, seed: number): Dataset;
/** The same of pictures, which are decoded when they are wanted. */
export function takeStratified(set: PictureSet, count: number, seed: number): PictureSet;
export function takeStratified(
  set: Dataset | PictureSet,
  count: number,
  seed: number,
): Dataset | PictureSet {
  checkCount(set, count);
  if (count === set.length) return set;
  const random = new Random(seed, `part of ${set.part ?? "images"}`);
  const places = stratified(set.labels, { count, random });
  return arePictures(set) ? pickPictures(set, places) : pick(set, places);
}
