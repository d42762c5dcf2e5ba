/**
 * Whether a file is to be read as ONNX, by what is in it: a model begins with the field of its
 * version, safetensors with the length of a header in braces. The ending counts where neither does.
 */
export function isOnnx(bytes: Uint8Array, file: string): boolean {
  if (bytes[8] === "{".charCodeAt(0)) return false;
  return bytes[0] === 0x08 || /\.onnx$/i.test(file);
}
