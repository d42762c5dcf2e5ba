/**
 * A network of one's own and its compressed twin, trained together.
 *
 *     deno run --allow-write=. examples/own_network.ts
 *
 * The small network has a quarter of the filters from stage 1 on. Once trained, it is cut out, checked
 * against the one that was measured, and saved as ONNX. This printed, in some seconds:
 *
 *     epoch 1: base 20.5 %, small 13.5 %
 *     epoch 2: base 46.5 %, small 27.5 %
 *     epoch 3: base 58.5 %, small 37.5 %
 *     epoch 4: base 57.5 %, small 39.0 %
 *     epoch 5: base 73.0 %, small 48.5 %
 *     epoch 6: base 76.5 %, small 50.5 %
 *     43354 parameters, and 4282 of the small network
 *     small.onnx has 18783 bytes
 *
 * @module
 */
import { exportOnnx, generatedSplit, network, train } from "@adjoin/adjoin";

const mine = network({ channels: 3 }, (n) => {
  n.stage(0);
  let x = n.conv2d(n.image, { name: "stem", out: 16, kernel: 3, stride: 2 });
  x = n.relu(n.batchNorm(x, { name: "stem_norm" }));
  n.stage(1);
  const branches = [1, 3].map((kernel) => {
    const y = n.conv2d(x, { name: `branch${kernel}`, out: 32, kernel });
    return n.relu(n.batchNorm(y, { name: `norm${kernel}` }));
  });
  x = n.conv2d(n.concat(branches), { name: "joined", out: 64, kernel: 3, stride: 2 });
  x = n.relu(n.batchNorm(x, { name: "joined_norm" }));
  n.linear(n.globalAvgPool2d(x), { name: "classifier", out: 10 });
});

// Ten kinds of shapes, drawn from the seed; your own are pixels and labels, one byte each.
const data = generatedSplit({ train: 1000, validation: 200, size: 16, seed: 0 });

const run = train({
  data,
  model: mine,
  maskFrom: 1,
  compression: 4,
  epochs: 6,
  batchSize: 32,
  lr: 0.01,
});
const percent = (part = 0) => `${(100 * part).toFixed(1)} %`;
for await (const { epoch, validation: { base, small } } of run) {
  console.log(`epoch ${epoch}: base ${percent(base?.top1)}, small ${percent(small?.top1)}`);
}

const { networks, summary } = await run;
console.log(
  `${summary.base?.params} parameters, and ${summary.small?.params} of the small network`,
);
const file = exportOnnx(networks.small);
await Deno.writeFile("small.onnx", file);
console.log(`small.onnx has ${file.length} bytes`);
