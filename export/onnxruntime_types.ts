/**
 * The part of onnxruntime-web that is used, in Deno and in browsers. Its own types come with all of
 * the package, which only those who run ONNX fetch.
 */
export interface OnnxRuntime {
  readonly env: {
    logLevel?: "error";
    readonly wasm: {
      numThreads?: number;
      /** Where its WebAssembly lies. */
      wasmPaths?: { readonly wasm: string };
    };
  };
  readonly Tensor: {
    /** Values by the type of their array, row-major. */
    new (data: Float32Array | Float64Array, dims: readonly number[]): OnnxTensor;
    /** Float16 by its bits. */
    new (type: "float16", data: Uint16Array, dims: readonly number[]): OnnxTensor;
  };
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { readonly executionProviders: readonly string[] },
    ): Promise<InferenceSession>;
  };
}

/** A tensor of onnxruntime's, row-major. */
export interface OnnxTensor {
  /** The element type, as `float32`. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Its values, where they are in memory: an array of its element type. */
  readonly data: unknown;
  /** Its values, from wherever they are. */
  getData(): Promise<unknown>;
}

/** What a model says of an input. */
export type InputMetadata =
  | { readonly name: string; readonly isTensor: false }
  | {
    readonly name: string;
    readonly isTensor: true;
    /** The element type, as `float32`. */
    readonly type: string;
    /** Its sizes; those that can be any are names. */
    readonly shape: readonly (number | string)[];
  };

/** A model that is open. */
export interface InferenceSession {
  readonly inputNames: readonly string[];
  readonly inputMetadata: readonly InputMetadata[];
  readonly outputNames: readonly string[];
  /** Computes outputs by name: all, or those that are named. */
  run(
    inputs: Readonly<Record<string, OnnxTensor>>,
    outputs?: readonly string[],
  ): Promise<Readonly<Record<string, OnnxTensor>>>;
  /** Frees its memory. */
  release(): Promise<void>;
}
