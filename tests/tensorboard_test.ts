// Event files for TensorBoard, read by a reader of its own: framing, checksums, fields.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EVENTS_FILE, filesOfRun, replaceRun } from "../cli/run/replacing.ts";
import { EventFile, writeEvents } from "../cli/tensorboard/event_file.ts";
import { crc32c } from "../cli/tensorboard/records.ts";
import type { EpochMetrics } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

/** CRC-32C bit by bit, as RFC 3720 states it: highest bit first, on bits turned round. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const top = (crc >> 31n & 1n) ^ BigInt(byte >> bit & 1);
      crc = crc << 1n & 0xffffffffn;
      if (top) crc ^= 0x1edc6f41n;
    }
  }
  let turned = 0n;
  for (let bit = 0n; bit < 32n; bit++) turned |= (crc >> bit & 1n) << (31n - bit);
  const all = turned ^ 0xffffffffn;
  return Number(((all >> 15n | all << 17n & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn);
}

interface Event {
  readonly time: number;
  readonly step: number;
  readonly version?: string;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The fields of a message: number, and bytes or a whole number. */
function* fields(bytes: Uint8Array): Generator<[number, Uint8Array | number]> {
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    if (wire === 0) yield [key >> 3, varint()];
    else {
      const length = wire === 1 ? 8 : wire === 5 ? 4 : varint();
      yield [key >> 3, bytes.subarray(at, at += length)];
    }
  }
}

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const text = (bytes: Uint8Array | number): string => new TextDecoder().decode(bytes as Uint8Array);

function eventOf(bytes: Uint8Array): Event {
  let event: Event = { time: 0, step: 0, scalars: {} };
  for (const [id, value] of fields(bytes)) {
    if (id === 2) event = { ...event, step: Number(value) };
    if (typeof value === "number") continue;
    if (id === 1) event = { ...event, time: view(value).getFloat64(0, true) };
    if (id === 3) event = { ...event, version: text(value) };
    if (id !== 5) continue;
    const scalars = [...fields(value)].map(([, one]) => {
      const found = new Map(fields(one as Uint8Array));
      const scalar = view(found.get(2) as Uint8Array).getFloat32(0, true);
      return [text(found.get(1) ?? 0), scalar] as const;
    });
    event = { ...event, scalars: Object.fromEntries(scalars) };
  }
  return event;
}

/** All events of a file, every checksum held. */
function readEvents(path: string): Event[] {
  const file = Deno.readFileSync(path);
  const found: Event[] = [];
  for (let at = 0; at < file.length;) {
    const head = file.subarray(at, at + 8);
    const length = Number(view(head).getBigUint64(0, true));
    const data = file.subarray(at + 12, at + 12 + length);
    assertEquals(view(file).getUint32(at + 8, true), checksum(head));
    assertEquals(view(file).getUint32(at + 12 + length, true), checksum(data));
    found.push(eventOf(data));
    at += 16 + length;
  }
  return found;
}

function metrics(epoch: number, more: Partial<EpochMetrics> = {}): EpochMetrics {
  const score = { top1: 0.5, top5: 1, loss: 0.25 * epoch };
  return {
    ...{
      epoch,
      epochs: 3,
      imagesPerSecond: 100,
      loss: 1.5,
      crossEntropy: 1,
      kl: 0.5,
      lambda: 0.75,
    },
    ...{ lr: 0.125, waiting: 0, training: { base: 0.5 }, etaSeconds: NaN, seconds: 2 },
    validation: { base: score, small: score },
    ...more,
  };
}

Deno.test("checksums are those of RFC 3720", () => {
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assertEquals(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

Deno.test("epochs are appended, and a run that goes on has each once, at its time", {
  ignore,
}, async () => {
  await withFolder(async (dir) => {
    let now = 1000;
    const notes: string[] = [];
    const file = new EventFile(() => dir, (text) => notes.push(text), () => now++);
    const path = `${dir}/${EVENTS_FILE}`;
    const gates = { expected: 0.5, budget: 0.25, entropy: 1, gamma: 2, temperature: 5 };
    file.append(metrics(1, { search: gates }));
    for (const epoch of [1, 2, 3]) file.append(metrics(epoch));
    const [first, search, ...others] = readEvents(path);
    assertEquals([first.version, first.time, first.scalars], ["brain.Event:2", 1000, {}]);
    assertEquals([search.scalars["search_gates/entropy"], search.scalars["top1/base"]], [
      1,
      undefined,
    ]);
    assertEquals(others.map(({ step, time }) => [step, time]), [[1, 1001], [2, 1002], [3, 1003]]);
    const { scalars } = others[1];
    assertEquals([scalars["validation_loss/small"], scalars["schedule/lr"]], [0.5, 0.125]);
    assertEquals([scalars["loss/total"], scalars["loss/divergence"]], [1.5, 0.5]);
    // Half a record is left where a process is killed.
    const whole = await Deno.readFile(path);
    await Deno.writeFile(path, whole.subarray(0, whole.length - 5));
    file.rewrite([metrics(1, { search: gates }), metrics(1), metrics(2)]);
    file.append(metrics(3));
    assertEquals(
      readEvents(path).slice(1).map(({ step, time }) => [step, time]),
      [[1, 1000], [1, 1001], [2, 1002], [3, 1005]],
    );
    assertEquals(notes, []);
    const lost = new EventFile(() => `${dir}/${EVENTS_FILE}`, (text) => notes.push(text));
    for (const epoch of [1, 2]) lost.append(metrics(epoch));
    assertEquals(notes.length, 1, notes.join("\n"));
  });
});

Deno.test("a run that replaces another brings its events, or takes the other's away", {
  ignore,
}, async () => {
  await withFolder(async (dir) => {
    const make = async (folder: string, events: boolean): Promise<void> => {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${folder}/config.json`, "{}");
      if (events) new EventFile(() => folder, () => {}).append(metrics(1));
    };
    await make(dir, false);
    await make(`${dir}/unfinished`, true);
    replaceRun(dir);
    assertEquals(filesOfRun(dir), ["config.json", EVENTS_FILE]);
    await make(`${dir}/unfinished`, false);
    replaceRun(dir);
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["config.json"]);
  });
});

Deno.test("a run that has ended has its epochs at the times when they ended, and no earlier ones", {
  ignore,
}, async () => {
  await withFolder((dir) => {
    const fail = (text: string): never => {
      throw new Error(text);
    };
    writeEvents(dir, [metrics(1), metrics(2), metrics(3)], fail);
    writeEvents(dir, [metrics(1), metrics(2)], fail);
    const [, one, two, ...others] = readEvents(`${dir}/${EVENTS_FILE}`);
    assertEquals([one.step, two.step, others], [1, 2, []]);
    assert(Math.abs(two.time - one.time - 2) < 1e-3);
    assert(Math.abs(two.time - Date.now() / 1000) < 10);
    return Promise.resolve();
  });
});

Deno.test("train --tensorboard writes the events of its epochs", {
  ignore: ignore || lacks("run", "env", "ffi"),
}, async () => {
  await withFolder(async (dir) => {
    const line = `train --model resnet8 --epochs 2 --train-size 16 --val-size 8 --batch-size 8 ` +
      `--image-size 12 --output ${dir}/run --tensorboard`;
    const { code, out, error } = await adjoinCommand(line.split(" "));
    assertEquals(code, 0, error);
    assertStringIncludes(out, ", checkpoints, tensorboard in ");
    const events = readEvents(`${dir}/run/${EVENTS_FILE}`);
    assertEquals(events.map(({ step }) => step), [0, 1, 2]);
    const lines = (await Deno.readTextFile(`${dir}/run/metrics.jsonl`)).trim().split("\n");
    lines.map((line) => JSON.parse(line)).forEach((metrics, i) => {
      const { scalars } = events[i + 1];
      assertEquals(scalars["top1/small"], Math.fround(metrics.validation.small.top1));
      assertEquals(scalars["loss/total"], Math.fround(metrics.loss));
    });
    assert(events.every(({ time }) => Math.abs(time - Date.now() / 1000) < 3600));
  });
});
