import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../data/random.ts";

function draw(count: number, next: () => number): number[] {
  return Array.from({ length: count }, next);
}

function moments(values: number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

Deno.test("Random is xoshiro128** as its authors publish it", () => {
  const random = Random.from([1, 2, 3, 4]);
  const wanted = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849];
  assertEquals(draw(8, () => random.bits()), wanted);
});

Deno.test("Random gives the same numbers for the same seed, here and everywhere", () => {
  const random = new Random(1, "weights");
  assertEquals(draw(4, () => random.bits()), [3026975521, 434636827, 2538689227, 1193913792]);
});

Deno.test("Random gives other numbers for other seeds and other streams", () => {
  const first = (seed: number, stream?: number | string) => new Random(seed, stream).bits();
  const seeds = Array.from({ length: 1000 }, (_, seed) => first(seed));
  const streams = Array.from({ length: 1000 }, (_, k) => first(0, `epoch ${k + 1}`));
  assertEquals(new Set([...seeds, ...streams]).size, 2000);
  assert(first(1) !== first(1 + 2 ** 32), "the upper bits of a seed count");
  assertEquals(first(7, 1), first(7, "1"));
});

Deno.test("Random.uniform() fills [0, 1) evenly", () => {
  const random = new Random(2);
  const values = draw(40_000, () => random.uniform());
  assert(values.every((v) => v >= 0 && v < 1));
  const { mean, variance } = moments(values);
  assert(Math.abs(mean - 1 / 2) < 0.01 && Math.abs(variance - 1 / 12) < 0.002);
});

Deno.test("Random.integer() draws every value equally often and takes n up to 2^32", () => {
  const random = new Random(3);
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
  assert(counts.every((count) => Math.abs(count - 10_000) < 500), String(counts));
  assertEquals(random.integer(1), 0);
  assert(draw(100, () => random.integer(2 ** 32)).some((v) => v >= 2 ** 31));
});

Deno.test("Random.normal() and Random.gumbel() have the moments of their distributions", () => {
  const random = new Random(4);
  const normal = moments(draw(40_000, () => random.normal()));
  assert(Math.abs(normal.mean) < 0.02 && Math.abs(normal.variance - 1) < 0.04);
  const gumbel = moments(draw(40_000, () => random.gumbel()));
  assert(Math.abs(gumbel.mean - 0.5772) < 0.03);
  assert(Math.abs(gumbel.variance - Math.PI ** 2 / 6) < 0.1);
});

Deno.test("Random.gumbel() added to logits picks each as often as its softmax says", () => {
  const random = new Random(5);
  const logits = [0, Math.log(3)];
  const picks = draw(10_000, () => {
    const [a, b] = logits.map((logit) => logit + random.gumbel());
    return a < b ? 1 : 0;
  });
  assert(Math.abs(moments(picks).mean - 0.75) < 0.02);
});

Deno.test("Random.shuffle() permutes, and every value may end up anywhere", () => {
  const random = new Random(6);
  const ends = new Array(4).fill(0);
  for (let i = 0; i < 4000; i++) {
    const values = Uint32Array.of(0, 1, 2, 3);
    random.shuffle(values);
    assertEquals([...values].sort(), [0, 1, 2, 3]);
    ends[values.indexOf(0)]++;
  }
  assert(ends.every((count) => Math.abs(count - 1000) < 150), String(ends));
});

Deno.test("Random goes on from a saved state where it was", () => {
  const random = new Random(7, "saved");
  draw(11, () => random.normal());
  const again = Random.from(JSON.parse(JSON.stringify(random.state())));
  const sample = (r: Random) => [r.bits(), r.uniform(), r.normal(), r.gumbel(), r.integer(9)];
  assertEquals(sample(again), sample(random));
});

Deno.test("Random says what is wrong with a seed, a bound and a state", () => {
  const seed = assertThrows(() => new Random(1.5), RangeError);
  assertEquals(
    seed.message,
    "Cannot seed random numbers: a seed is a whole number from 0 to 2^53 - 1, found 1.5",
  );
  assertThrows(() => new Random(-1), RangeError, "found -1");
  const bound = assertThrows(() => new Random(0).integer(0), RangeError);
  assertEquals(
    bound.message,
    "Cannot draw an integer below 0: wanted a whole number from 1 to 2^32",
  );
  const state = assertThrows(() => Random.from([0, 0, 0, 0]), RangeError);
  assertEquals(
    state.message,
    "Cannot restore random numbers: a state is four 32-bit words, not all 0, found [0,0,0,0]",
  );
  assertThrows(() => Random.from([1, 2, 3]), RangeError, "found [1,2,3]");
  assertThrows(() => Random.from([1, 2, 3, 2 ** 32]), RangeError, "found [1,2,3,4294967296]");
});
