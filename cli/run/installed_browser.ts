import { UsageError } from "../../train/errors.ts";
import { printable } from "../../data/printable.ts";

/** Where Chromium and Chrome are installed: those that the task export:browser may run. */
export const CHROMIUMS: readonly string[] = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

async function isThere(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile === true;
}

/**
 * The browser that is meant: one by its path, or with `auto` the first of {@link CHROMIUMS} that is
 * installed, if any is. Raises a {@link UsageError} where there is none at the path.
 */
export async function installedBrowser(
  asked: string,
  among: readonly string[] = CHROMIUMS,
): Promise<string | undefined> {
  if (asked !== "auto") {
    if (await isThere(asked)) return asked;
    throw new UsageError(
      `Cannot check in ${printable(asked, 300)}: wanted the program of Chromium or Chrome, found ` +
        `no such file; choose another --browser, or auto`,
    );
  }
  for (const path of among) if (await isThere(path)) return path;
}

/** Raises a {@link UsageError} where Deno may not run the browser, or not be reached from it. */
export async function demandRunning(browser: string): Promise<void> {
  const wanted = [
    { name: "run", command: browser },
    { name: "net", host: "127.0.0.1" },
  ] as const;
  // At a terminal, Deno asks.
  const states: Deno.PermissionState[] = [];
  for (const one of wanted) states.push((await Deno.permissions.request(one)).state);
  if (states.every((state) => state === "granted")) return;
  throw new UsageError(
    `Cannot check in ${printable(browser, 300)}: Deno was started without the permission to run ` +
      `it and to answer it on this machine; start with deno task export:browser, or add ` +
      `--allow-run="${printable(browser, 300)}" --allow-net=127.0.0.1`,
  );
}
