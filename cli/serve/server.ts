// A run over HTTP, for browsers on this machine alone.
import { messageOf } from "../../data/message_of.ts";
import type { RunState, WatchedRun } from "./watched_run.ts";

/** The only address that is listened on. */
export const HOST = "127.0.0.1";

/** The port that is taken where it is free. */
export const PORT = 8417;

/** Milliseconds from one look at the folder to the next, while somebody watches. */
const PAUSE = 1000;

/** Nothing but this page, its script and its pictures; in no frame of others. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; " +
    "script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; " +
    "form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  jsonl: "text/plain; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
};

function typeOf(name: string): string {
  return TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
}

function answer(
  body: BodyInit | null,
  status: number,
  type = "text/plain; charset=utf-8",
): Response {
  return new Response(body, { status, headers: { ...HEADERS, "content-type": type } });
}

const SCRIPT = new URL("./live.js", import.meta.url);

/** A run that is served. */
export class RunServer implements AsyncDisposable {
  readonly #run: WatchedRun;
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #abort = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #clock: ReturnType<typeof setInterval>;
  #told = "";
  #looking = false;

  private constructor(run: WatchedRun, port: number) {
    this.#run = run;
    const { signal } = this.#abort;
    this.#server = Deno.serve(
      { hostname: HOST, port, signal, onListen() {} },
      (request) => this.#answer(request),
    );
    this.#clock = setInterval(() => this.look(), PAUSE);
  }

  /** Serves a run on a port; without one on {@link PORT}, or where that is taken on any that is free. */
  static open(run: WatchedRun, port?: number): RunServer {
    try {
      return new RunServer(run, port ?? PORT);
    } catch (error) {
      if (port !== undefined || !(error instanceof Deno.errors.AddrInUse)) throw error;
      return new RunServer(run, 0);
    }
  }

  /** Where the page is. */
  get address(): string {
    return `http://${HOST}:${this.#server.addr.port}/`;
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#clock);
    this.#abort.abort();
    await this.#server.finished;
  }

  /** Looks at the folder now, and tells all who listen of what has changed. */
  async look(): Promise<void> {
    if (this.#looking || !this.#listeners.size) return;
    this.#looking = true;
    try {
      this.#tell(await this.#run.look());
    } catch {
      /* Files come and go while a run takes the place of another: the next look finds them. */
    }
    this.#looking = false;
  }

  #tell(state: RunState): void {
    const text = JSON.stringify(state);
    // Who has heard it all gets a sign of life, which a connection that is lost does not.
    const message = text === this.#told ? ":\n\n" : `data: ${text}\n\n`;
    this.#told = text;
    this.#send(message);
  }

  #send(message: string): void {
    const bytes = new TextEncoder().encode(message);
    for (const listener of this.#listeners) {
      try {
        listener.enqueue(bytes);
      } catch {
        this.#listeners.delete(listener);
      }
    }
  }

  /** A stream of states, the first at once. */
  async #events(): Promise<Response> {
    const state = JSON.stringify(await this.#run.look());
    let own: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start: (listener) => {
        own = listener;
        listener.enqueue(new TextEncoder().encode(`retry: 1000\ndata: ${state}\n\n`));
        this.#listeners.add(listener);
      },
      cancel: () => void this.#listeners.delete(own),
    });
    return answer(stream, 200, "text/event-stream");
  }

  /** Whether a request names this server: a page of another name that leads here is another's. */
  #isOwn(request: Request): boolean {
    const { port } = this.#server.addr;
    return [`${HOST}:${port}`, `localhost:${port}`].includes(request.headers.get("host") ?? "");
  }

  async #answer(request: Request): Promise<Response> {
    if (!this.#isOwn(request)) return answer("only this machine is served\n", 403);
    if (request.method !== "GET") return answer("only GET is answered\n", 405);
    try {
      const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
      if (name === "") {
        await this.#run.look();
        return answer(await this.#run.page(), 200, TYPES.html);
      }
      if (name === "live/events") return await this.#events();
      if (name === "live/script.js") return answer(await Deno.readTextFile(SCRIPT), 200, TYPES.js);
      const path = await this.#run.file(name);
      if (path === undefined) return answer("no such file of the run\n", 404);
      const file = await Deno.open(path);
      return answer(file.readable, 200, typeOf(name));
    } catch (error) {
      const message = messageOf(error);
      return answer(`${message}\n`, error instanceof URIError ? 400 : 500);
    }
  }
}
