/** A format that a file has in place of the wanted one. */
export interface FileFormat {
  /** With its article, to go after "found". */
  readonly name: string;
  /** What to do where pictures or weights of any kind were wanted. */
  readonly cure?: string;
  /** What to do where weights as safetensors were wanted. */
  readonly weightsCure?: string;
}

interface Signature extends FileFormat {
  fits(head: Head): boolean;
}

/** How much of a file is looked at. */
const HEAD = 4096;

/** The first bytes of a file, also as text in which each byte is one character. */
interface Head {
  readonly bytes: Uint8Array;
  readonly text: string;
}

function starts(...signature: number[]): (head: Head) => boolean {
  return ({ bytes }) => signature.every((byte, i) => bytes[i] === byte);
}

function startsWith(signature: string, at = 0): (head: Head) => boolean {
  return ({ text }) => text.startsWith(signature, at);
}

/** Whether a file is a zip archive that has members of such names among its first. */
function zipOf(names: RegExp): (head: Head) => boolean {
  return ({ text }) => text.startsWith("PK\x03\x04") && names.test(text);
}

function torchCure(load: string): string {
  return `write it anew with safetensors.torch.save_file(${load}, "weights.safetensors")`;
}

const TORCH: FileFormat = {
  name: "a file of torch.save",
  weightsCure: torchCure('torch.load(FILE, map_location="cpu")'),
};
const UNPACK = "unpack it first";
const AGAIN = "download the file itself again";
const PICTURE = "wanted are many pictures in one file";

/** The magic number that torch.save wrote before it wrote zip archives, pickled with protocol 2. */
const LEGACY_TORCH = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50];

/** Formats by how files begin; the first that fits counts. */
const SIGNATURES: readonly Signature[] = [
  { ...TORCH, fits: zipOf(/\/(data\.pkl|constants\.pkl|byteorder|data\/\d|code\/)/) },
  {
    name: "a file of numpy.savez",
    weightsCure: "write it anew with safetensors.numpy.save_file(dict(numpy.load(FILE)), " +
      '"weights.safetensors")',
    fits: zipOf(/\.npy/),
  },
  {
    name: "a model of Keras",
    weightsCure: "write its weights as safetensors, in PyTorch's layout and names",
    fits: zipOf(/metadata\.json|config\.json|model\.weights\.h5/),
  },
  { name: "a zip archive", cure: UNPACK, fits: startsWith("PK\x03\x04") },
  { ...TORCH, fits: starts(...LEGACY_TORCH) },
  {
    name: "a pickle of Python",
    weightsCure: "load it in Python, and write the tensors with safetensors.torch.save_file",
    fits: ({ bytes }) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5,
  },
  {
    name: "an array of NumPy",
    weightsCure: "write named arrays with safetensors.numpy.save_file",
    fits: startsWith("\x93NUMPY"),
  },
  {
    name: "an HDF5 file, as Keras has them",
    weightsCure: "write its weights as safetensors, in PyTorch's layout and names",
    fits: startsWith("\x89HDF\r\n\x1a\n"),
  },
  { name: "a gzip file", cure: UNPACK, fits: starts(0x1f, 0x8b) },
  { name: "a zstd file", cure: UNPACK, fits: starts(0x28, 0xb5, 0x2f, 0xfd) },
  { name: "an xz file", cure: UNPACK, fits: startsWith("\xfd7zXZ\0") },
  { name: "a bzip2 file", cure: UNPACK, fits: startsWith("BZh") },
  { name: "a tar archive", cure: UNPACK, fits: startsWith("ustar", 257) },
  { name: "a PNG picture", cure: PICTURE, fits: startsWith("\x89PNG") },
  { name: "a JPEG picture", cure: PICTURE, fits: starts(0xff, 0xd8, 0xff) },
  {
    name: "a web page",
    cure: AGAIN,
    fits: ({ text }) => /^(\xef\xbb\xbf)?\s*(<!--[^]*?-->\s*)?<(!doctype html|html)/i.test(text),
  },
  { name: "XML", cure: AGAIN, fits: ({ text }) => /^(\xef\xbb\xbf)?\s*<\?xml/i.test(text) },
  {
    name: "a pointer of Git LFS",
    cure: "fetch the file itself with git lfs pull",
    fits: startsWith("version https://git-lfs.github.com/spec/"),
  },
  {
    name: "the index of weights in several files",
    weightsCure: "join them into one file of safetensors",
    fits: ({ text }) => /^\s*\{/.test(text) && text.includes('"weight_map"'),
  },
  { name: "JSON", fits: ({ text }) => /^(\xef\xbb\xbf)?\s*[{[]\s*(["{[\]}]|\d)/.test(text) },
  { name: "a GGUF file", fits: startsWith("GGUF") },
  { name: "a TFLite model", fits: startsWith("TFL3", 4) },
  {
    name: "an ONNX model",
    weightsCure: "pass it as the model, or take the weights that it was made from, as safetensors",
    // Field 1, the version of the format; then field 2, the producer's name, or 7, the graph.
    fits: ({ bytes: [a, b, c] }) => a === 0x08 && b >= 1 && b <= 15 && (c === 0x12 || c === 0x3a),
  },
  {
    name: "a checkpoint of a run",
    fits: ({ text }) => /^.{8}\{"__metadata__":\{"format":"adjoin training state"/s.test(text),
  },
  { name: "a safetensors file", fits: ({ text }) => /^.{5}\0{3}\{"/s.test(text) },
  // The last, as many of the formats above are texts as well.
  {
    name: "a text",
    fits: ({ text }) => text.length > 8 && /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(text),
  },
];

/**
 * The format of a file that is not the wanted one, by how it begins; `undefined` for one that is
 * not known. Ask only after the wanted format did not fit: signatures are short.
 *
 * @param bytes The whole file, or its beginning.
 */
export function otherFormat(bytes: Uint8Array): FileFormat | undefined {
  if (bytes.length === 0) return { name: "an empty file" };
  const head = bytes.subarray(0, HEAD);
  const text = String.fromCharCode(...head);
  return SIGNATURES.find(({ fits }) => fits({ bytes: head, text }));
}

/** The first bytes as `00 00 08 03`. */
export function hexOf(bytes: Uint8Array, count: number): string {
  return Array.from(bytes.subarray(0, count), (v) => v.toString(16).padStart(2, "0")).join(" ");
}
