// 2,000 networks at random and their small ones: `deno task torture --only graphs`.
//   deno run tests/torture/graphs.ts FROM TO        checks some of them, and prints what it finds
import { fileURLToPath } from "node:url";
import { Gpu } from "../../kernels/gpu.ts";
import { faultOf, pairOf } from "../graphs.ts";

/** Graphs of a whole part. */
const GRAPHS = 2000;

/** Those of one process, which all find the kernels that others have compiled. */
const GRAPHS_OF_A_PROCESS = 100;

/** Processes at a time, at most. */
const PROCESSES = 2;

/** A line of a process: what is wrong with a graph, or that it was refused; else all holds. */
interface Found {
  readonly graph: number;
  readonly refused: boolean;
  readonly fault?: string;
}

async function check(gpu: Gpu, graph: number): Promise<Found> {
  const refused = "refused" in pairOf(graph);
  try {
    return { graph, refused, fault: await faultOf(gpu, graph) };
  } catch (error) {
    return { graph, refused, fault: error instanceof Error ? error.message : `${error}` };
  }
}

/** Checks graphs in a process of its own; gives what it found. */
async function inProcess(from: number, to: number): Promise<Found[]> {
  const args = ["run", "-q", fileURLToPath(import.meta.url), `${from}`, `${to}`];
  const { code, stdout, stderr } = await new Deno.Command("deno", { args }).output();
  const [lines, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const found: Found[] = lines.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  // Where it ended before the last, the next one is the reason.
  const next = from + found.length;
  if (next === to) return found;
  const fault = `its process ended with ${code}: ${errors.trim()}`;
  return [
    ...found,
    { graph: next, refused: false, fault },
    ...next + 1 < to ? await inProcess(next + 1, to) : [],
  ];
}

/** Checks a share of all graphs. Raises an `Error` that counts those of which something is wrong. */
export async function graphs(share: number, print: (line: string) => void): Promise<void> {
  const count = Math.ceil(GRAPHS * share);
  let [next, checked, refused, faults] = [0, 0, 0, 0];
  const processes = Math.min(PROCESSES, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: processes }, async () => {
    while (next < count) {
      const [from, to] = [next, Math.min(next + GRAPHS_OF_A_PROCESS, count)];
      next = to;
      const found = await inProcess(from, to);
      for (const { graph, fault } of found) if (fault) print(`graph ${graph}, ${fault}`);
      checked += found.length;
      refused += found.filter((one) => one.refused).length;
      faults += found.filter((one) => one.fault).length;
      print(`${checked} of ${count}, ${refused} of them refused with a reason`);
    }
  }));
  if (faults) throw new Error(`${faults} of ${count} graphs are wrong`);
}

if (import.meta.main) {
  const gpu = await Gpu.open();
  const [from, to] = Deno.args.map(Number);
  for (let i = from; i < to; i++) console.log(JSON.stringify(await check(gpu, i)));
  Deno.exit();
}
