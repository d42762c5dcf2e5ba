import { UsageError } from "../../train/errors.ts";
import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { print } from "../print.ts";
import { onSignal } from "../run/interrupt.ts";

/** Shows the run of a folder in a browser on this machine, until it is interrupted. */
export async function run(args: readonly string[]): Promise<number> {
  const { values: { port }, positionals: [folder] } = readArguments("serve", args);
  const { demandListening } = await import("../serve/permission.ts");
  const { RunServer } = await import("../serve/server.ts");
  const { WatchedRun } = await import("../serve/watched_run.ts");
  const watched = new WatchedRun(folder);
  // A folder without a run is refused before anybody looks.
  await watched.page();
  await demandListening();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const stop = onSignal(() => resolve());
  try {
    await using server = RunServer.open(watched, port);
    print(`${server.address} shows ${folder}; Ctrl+C ends\n`);
    await ended;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UsageError(
      `Cannot serve the run: port ${port} is taken by another program; choose another --port`,
    );
  } finally {
    stop();
  }
  return EXIT.ok;
}
