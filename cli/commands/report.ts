import { printable } from "../../data/printable.ts";
import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { print } from "../print.ts";
import { fileSize } from "../text.ts";

/** Makes the page of a run, or makes it again, with other runs beside it. */
export async function run(args: readonly string[]): Promise<number> {
  const { positionals: [folder, ...beside] } = readArguments("report", args);
  const { reportOf } = await import("../report_page/report_of.ts");
  const { writeWhole } = await import("../run/whole_file.ts");
  const { html, data } = await reportOf(folder, { beside, hashes: true });
  const path = `${data.folder}/report.html`;
  const bytes = new TextEncoder().encode(html);
  await writeWhole(path, bytes);
  print(`${printable(path, 300)}: ${fileSize(bytes.length)}, the ${data.kind} is ${data.status}\n`);
  return EXIT.ok;
}
