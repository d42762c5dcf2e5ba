import { UsageError } from "../../train/errors.ts";
import { HOST } from "./server.ts";

/** Raises a {@link UsageError} where Deno may not listen on this machine's own address. */
export async function demandListening(): Promise<void> {
  // At a terminal, Deno asks.
  const { state } = await Deno.permissions.request({ name: "net", host: HOST });
  if (state === "granted") return;
  throw new UsageError(
    `Cannot serve the run: Deno was started without the permission to listen on ${HOST}; start ` +
      `with deno task adjoin, or add --allow-net=${HOST}`,
  );
}
