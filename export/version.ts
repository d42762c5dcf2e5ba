/** The version of this package, which ONNX files name: that of deno.json. */
export const VERSION = "0.1.0";
