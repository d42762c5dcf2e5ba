// Reports in Chromium: nothing is wider than the screen, no chart is empty, nothing is loaded.
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { openDrawing } from "../cli/report/picture_document.ts";
import { reportPage } from "../cli/report_page/page.ts";
import { inChromium, installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { madeComparison, madeRun } from "./made_report.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env", "net");
const chromium = installedChromium() ?? "";

interface Found {
  readonly plots: number;
  readonly [problem: string]: unknown;
}

Deno.test(
  "reports fit screens of 390 and 1280 pixels, and hold all they show",
  { ignore: ignore || !chromium },
  () =>
    withFolder(async (dir) => {
      const drawing = await openDrawing();
      const pages = {
        run: madeRun(),
        several: madeRun({ epochs: 60, names: ["base", "small-2", "small-4", "small-8"] }),
        search: madeRun({
          search: true,
          classes: Array.from({ length: 30 }, (_, i) => `a class with a long name ${i}`),
        }),
        compared: madeComparison(),
      };
      for (const [name, data] of Object.entries(pages)) {
        await Deno.writeTextFile(`${dir}/${name}.html`, reportPage(data, drawing));
      }
      const entry = fileURLToPath(new URL("browser/report.js", import.meta.url));
      const found = await inChromium(chromium, entry, { folder: dir }) as Record<string, Found>;
      assertEquals(Object.keys(found).length, 8);
      for (const [page, { plots, ...problems }] of Object.entries(found)) {
        assert(plots >= 4, `${page}: ${plots} charts`);
        assertEquals(
          problems,
          { empty: [], outside: 0, overflow: 0, loaded: [], broken: 0 },
          page,
        );
      }
    }),
);
