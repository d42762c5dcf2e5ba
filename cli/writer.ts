/** A stream as `Deno.stdout`. */
export interface Stream {
  /** Writes some of the bytes, and says how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Milliseconds until a reader that is behind is tried again. */
const PATIENCE = 10;

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE);
}

/**
 * Writes text to a stream. A reader that has gone away (`| head`) is no error, and one that is behind
 * is waited for, whether the stream blocks or not. `failed` is told of all else, as of a full disk.
 */
export function writer(stream: Stream, failed: (cause: Error) => void): (text: string) => void {
  return (text) => {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length) {
      try {
        bytes = bytes.subarray(stream.writeSync(bytes));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe || !(error instanceof Error)) return;
        if (!(error instanceof Deno.errors.WouldBlock)) return failed(error);
        pause();
      }
    }
  };
}
