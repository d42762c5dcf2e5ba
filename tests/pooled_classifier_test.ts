// Networks whose classes are made by a convolution before a global pool, as SqueezeNet has them.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { torchShape } from "../nn/layout.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { classifiersOf } from "../nn/classifiers.ts";
import { count } from "../nn/count.ts";
import { classesOf, type Network, network } from "../nn/network.ts";
import { fitPretrained } from "../nn/pretrained.ts";
import { nameOf, networkSpecs } from "../nn/state.ts";

/** Two convolutions, and one that makes the classes. */
function squeezed(classes: number): Network {
  return network({ channels: 3 }, (n) => {
    n.stage(2);
    let x = n.relu(n.conv2d(n.image, { name: "a", out: 8, kernel: 3 }));
    x = n.relu(n.conv2d(x, { name: "b", out: 12, kernel: 3 }));
    x = n.conv2d(n.dropout(x, { rate: 0.5 }), { name: "classifier.1", out: classes, kernel: 1 });
    n.globalAvgPool2d(n.relu(x));
  });
}

Deno.test("a convolution that a pool follows is the classifier, and never masked", () => {
  const made = squeezed(5);
  assertEquals([...classifiersOf(made)].map(nameOf), ["classifier.1"]);
  assertEquals(classesOf(made), 5);
  const { params, backboneParams, classifierParams } = count(made, { height: 8, width: 8 });
  assertEquals([params, classifierParams], [backboneParams + 60, 60]);
  const { masked, small } = adjoin(made, { compression: 4 });
  assertEquals(masked, ["a", "b"]);
  assertEquals(classesOf(small), 5);
  assertEquals(count(small, { height: 8, width: 8 }).classifierParams, 15);
  assertThrows(
    () => adjoin(made, { compression: 4, widths: { "classifier.1": 3 } }),
    RangeError,
    "Cannot adjoin: widths name classifier.1, which is what makes the classes, all of which are " +
      "kept; leave it out",
  );
});

Deno.test("weights of another number of classes fit but for the convolution that makes them", () => {
  const { parameters } = networkSpecs(squeezed(7));
  const tensors = new Map(parameters.map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    return [name, { shape: torchShape(shape), data }];
  }));
  const { state, fresh, unused } = fitPretrained(squeezed(5), tensors);
  assertEquals([...state.keys()], ["a.weight", "b.weight"]);
  assertEquals(fresh, ["classifier.1.weight"]);
  assert(unused.length === 1 && unused[0].name === "classifier.1.weight");
});
