// The members of a ZIP file that was chosen. Nothing is unpacked but what is asked for, and no more of it than it may have.

const END_BYTES = 22, COMMENT_MAX = 65_535, DIRECTORY_MAX = 16 * 2 ** 20;
const END = 0x06054b50, ENTRY = 0x02014b50, MEMBER = 0x04034b50, LARGE = 0xffffffff;

export class Unreadable extends Error {}

const damaged = () => new Unreadable("it is no ZIP file, or a damaged one");

async function view(file, from, to) {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

// Where the members are, by their names.
export async function membersOf(file) {
  const tail = await view(file, Math.max(0, file.size - END_BYTES - COMMENT_MAX), file.size);
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw damaged();
  const size = tail.getUint32(end + 12, true), start = tail.getUint32(end + 16, true);
  if (start === LARGE || size > DIRECTORY_MAX) throw new Unreadable("it is too large for a page");
  const directory = await view(file, start, start + size);
  const members = new Map();
  for (let at = 0; at < directory.byteLength;) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== ENTRY) throw damaged();
    const [flags, method] = [8, 10].map((offset) => directory.getUint16(at + offset, true));
    const [packed, offset] = [20, 42].map((place) => directory.getUint32(at + place, true));
    const [name, extra, comment] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
    if (at + 46 + name > directory.byteLength) throw damaged();
    if ((flags & 1) || (method !== 0 && method !== 8)) {
      throw new Unreadable("it is a ZIP file with a passphrase or with another compression than archives have");
    }
    if (packed === LARGE || offset === LARGE) throw new Unreadable("it is too large for a page");
    members.set(new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, name)), { method, packed, offset });
    at += 46 + name + extra + comment;
  }
  return members;
}

// All bytes of a member, or null where it has more than `most`, or is damaged.
export async function bytesIn(file, { method, packed, offset }, most) {
  const head = await view(file, offset, offset + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== MEMBER) return null;
  const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  let stream = file.slice(start, start + packed).stream();
  if (method === 8) stream = stream.pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(most);
  let length = 0;
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (length + part.value.length > most) return null;
      bytes.set(part.value, length);
      length += part.value.length;
    }
  } catch {
    return null;
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return bytes.subarray(0, length);
}
