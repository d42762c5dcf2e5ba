/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Serves a run from a thread of its own: nothing of it happens between the steps of the training.
import { messageOf } from "../../data/message_of.ts";
import { RunServer } from "./server.ts";
import { WatchedRun } from "./watched_run.ts";

/** Milliseconds in which pages hear of the end, before their connection does. */
const FAREWELL = 600;

let server: RunServer | undefined;

self.onmessage = async ({ data }: MessageEvent<{ folder: string } | { end: true }>) => {
  if ("folder" in data) {
    try {
      server = RunServer.open(new WatchedRun(data.folder));
      self.postMessage({ address: server.address });
    } catch (error) {
      self.postMessage({ problem: messageOf(error) });
    }
    return;
  }
  await server?.look();
  await new Promise((resolve) => setTimeout(resolve, FAREWELL));
  await server?.[Symbol.asyncDispose]();
  self.postMessage({ ended: true });
};
