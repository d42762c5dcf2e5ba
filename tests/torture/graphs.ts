// 2,000 networks at random and their small ones: `deno task torture --only graphs`.
import { faultOf, pairOf } from "../graphs.ts";

/** Graphs of a whole part. */
const GRAPHS = 2000;

/** Checks a share of all graphs. Raises an `Error` that counts those of which something is wrong. */
export async function graphs(share: number, print: (line: string) => void): Promise<void> {
  const count = Math.ceil(GRAPHS * share);
  let faults = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    if ("refused" in pairOf(i)) refused++;
    const fault = await faultOf(i);
    if (fault) {
      faults++;
      print(`graph ${i}, ${fault}`);
    }
    if ((i + 1) % 100 === 0) {
      print(`${i + 1} of ${count}, ${refused} of them refused with a reason`);
    }
  }
  if (faults) throw new Error(`${faults} of ${count} graphs are wrong`);
}
