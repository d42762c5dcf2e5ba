import { readArguments } from "../arguments.ts";
import { paintFor } from "../colour.ts";
import { EXIT } from "../exit.ts";
import { backendGiven } from "../no_adapter.ts";
import { print } from "../print.ts";
import { terminalWidth } from "../run/session.ts";

/** Columns that lines of findings have at most. */
const WIDEST = 100;

/** Looks at the GPU and at what is around it; exit code 4 where there is none, or one that fails. */
export async function run(args: readonly string[]): Promise<number> {
  const { values: { json, quiet } } = readArguments("doctor", args);
  const { diagnose } = await import("../doctor/doctor.ts");
  const { findings, gpu, dawn } = await diagnose({ backend: backendGiven() });
  const isWell = findings.every(({ state }) => state !== "problem");
  if (json) print(JSON.stringify({ well: isWell, findings, gpu, dawn }, null, 2) + "\n");
  else {
    const { doctorText, needsWork } = await import("../doctor/doctor_text.ts");
    const told = quiet ? findings.filter(needsWork) : findings;
    if (told.length) {
      print(doctorText(told, Math.min(WIDEST, terminalWidth()), paintFor(Deno.stdout)));
    }
  }
  const code = isWell ? EXIT.ok : EXIT.gpu;
  // The thread that waits for the driver would keep the process from its end.
  if (gpu.hung || dawn?.hung) Deno.exit(code);
  return code;
}
