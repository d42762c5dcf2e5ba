import { isRecord, parseJson } from "../../data/json.ts";
import { printable } from "../../data/printable.ts";
import { GpuError } from "../../kernels/gpu/gpu_error.ts";
import type { Adapter } from "../page/network.ts";

/** A promise that may fail before anybody waits for it. */
function awaited<T>(): PromiseWithResolvers<T> {
  const made = Promise.withResolvers<T>();
  made.promise.catch(() => {});
  return made;
}

/** The adapter as the page tells it. */
function adapterOf(text: string): Adapter {
  const found = parseJson(text);
  const { name, software } = isRecord(found) ? found : {};
  return { name: printable(String(name)), software: software === true };
}

/** Batches on their way to a page, one at a time, and logits on their way back. */
export class BrowserExchange {
  readonly #browser: string;
  readonly #ready = awaited<Adapter>();
  #batch = awaited<Uint8Array<ArrayBuffer> | undefined>();
  #logits = awaited<Float32Array>();
  #failed?: Error;

  /** The browser is named in errors. */
  constructor(browser: string) {
    this.#browser = printable(browser, 300);
  }

  /** The adapter, once the network is compiled for it. */
  get ready(): Promise<Adapter> {
    return this.#ready.promise;
  }

  /** Ends all that is waited for, and all that will be, with an error. */
  fail(reason: string): void {
    this.#failed ??= new GpuError(`Cannot check in ${this.#browser}: ${printable(reason, 400)}`);
    this.#ready.reject(this.#failed);
    this.#logits.reject(this.#failed);
  }

  /** Logits of images, by their bytes. */
  run(pixels: Uint8Array<ArrayBuffer>): Promise<Float32Array> {
    this.#logits = awaited<Float32Array>();
    if (this.#failed) this.#logits.reject(this.#failed);
    else this.#batch.resolve(pixels);
    return this.#logits.promise;
  }

  /** There are no more batches. */
  end(): void {
    this.#batch.resolve(undefined);
  }

  /** Answers what the page asks for or tells; nothing where it is something else. */
  async answer(path: string, request: Request): Promise<Response | undefined> {
    switch (path) {
      case "next": {
        const batch = await this.#batch.promise;
        if (!batch) return new Response(null, { status: 204 });
        this.#batch = awaited();
        return new Response(batch);
      }
      case "logits":
        this.#logits.resolve(new Float32Array(await request.arrayBuffer()));
        return new Response();
      case "ready":
        this.#ready.resolve(adapterOf(await request.text()));
        return new Response();
      case "none":
        this.fail("it gives WebGPU no adapter");
        return new Response();
      case "problem":
        this.fail(await request.text());
        return new Response();
    }
  }
}
