// The metadata of an ONNX file, which onnxruntime-web does not hand out. The file is a message of
// Protocol Buffers; its field 14 are pairs of a key (field 1) and a value (field 2).

/** The fields of a message that have bytes: text, or messages in turn. */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; bytes: Uint8Array }> {
  let at = 0;
  // Seven bits a byte, the lowest first; the eighth says that more follow.
  const varint = (): number => {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("no ONNX file, or not the whole of it");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      yield { field, bytes: bytes.subarray(at, at += length) };
    } else at = Infinity;
  }
  if (at > bytes.length) throw new RangeError("no ONNX file, or not the whole of it");
}

/** What an ONNX file says of itself, by key. Raises a `RangeError` for another file. */
export function onnxMetadata(file: Uint8Array): Map<string, string> {
  const text = new TextDecoder();
  const pairs = [...fieldsOf(file)].filter(({ field }) => field === 14);
  return new Map(pairs.map(({ bytes }) => {
    const parts = new Map(
      [...fieldsOf(bytes)].map((part) => [part.field, text.decode(part.bytes)]),
    );
    return [parts.get(1) ?? "", parts.get(2) ?? ""];
  }));
}
