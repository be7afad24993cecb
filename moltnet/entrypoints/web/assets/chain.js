// Whether records, leaves of a log and signatures hold (docs/reference/records.md, log.md), checked in the browser.

import { RECORD, bytesOf, digestOf, parsed, signingInput, utf8 } from "./records.js";

const MEMBERS = {
  entry: "author contentHash createdAt diary entry importance key kind occurredAt previous salt sequence supersedes tags title type",
  removal: "author createdAt diary entry key kind previous removedHash removedPrevious removes sequence",
};
const GIVEN_UP_MS = 300_000;

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const rawKey = (text) => bytesOf(text.replace(/^ed25519:/, ""));

async function fingerprintOf(key) {
  return (await digestOf(rawKey(key))).slice(0, 16).toUpperCase().match(/.{4}/g).join("-");
}

const keys = new Map();

// A signature over bytes, by the 32 bytes of a key.
export async function isSigned(raw, signature, bytes) {
  try {
    const id = hex(raw);
    if (!keys.has(id)) keys.set(id, await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]));
    return await crypto.subtle.verify("Ed25519", keys.get(id), signature, bytes);
  } catch {
    return false;
  }
}

export const isSignedAs = (type, key, signature, payload) => isSigned(rawKey(key), signature, signingInput(payload, type));

// A record in canonical form with all its members, by the author that its key is; else null.
async function recordIn(payload) {
  const record = parsed(payload);
  if (!record || Object.keys(record).sort().join(" ") !== MEMBERS[record.kind]) return null;
  return record.author === await fingerprintOf(record.key).catch(() => null) ? record : null;
}

// A record that was imported: its hash, number and signature; answers what is wrong, and the record.
export async function evidence({ sequence, hash, payload, signature }) {
  const bytes = bytesOf(payload);
  const record = await recordIn(bytes);
  if (!record) return { faults: ["the payload is no record in canonical form"] };
  const faults = [];
  if (await digestOf(bytes) !== hash || record.sequence !== sequence) faults.push("the hash or number is not that of the record");
  if (!await isSignedAs(RECORD, record.key, bytesOf(signature), bytes)) faults.push("the signature is not its author's over the record");
  return { faults, record };
}

// The records of a diary, one after the other by number.
export class Chain {
  constructor(diary) {
    Object.assign(this, { diary, sequence: 0, hash: null, entries: new Set(), empty: new Map(), removals: 0, last: new Map() });
  }

  // What is wrong with the next record.
  async add(shown) {
    const faults = [];
    if (shown.sequence <= this.sequence) return ["a record of this number came before"];
    const follows = shown.sequence === this.sequence + 1;
    if (!follows) faults.push("a record before it is missing");
    if (shown.payload === null) this.empty.set(shown.sequence, [shown.hash, this.hash]);
    else faults.push(...await this.#signed(shown, follows));
    [this.sequence, this.hash] = [shown.sequence, shown.hash];
    return faults;
  }

  async #signed(shown, follows) {
    const payload = bytesOf(shown.payload);
    const faults = await digestOf(payload) === shown.hash ? [] : ["the hash is not that of the payload"];
    const record = await recordIn(payload);
    if (!record) return [...faults, "the payload is no record in canonical form"];
    this.last.set(record.key, Math.max(this.last.get(record.key) ?? 0, Date.parse(record.createdAt)));
    if (record.sequence !== shown.sequence || record.diary !== this.diary) faults.push("the payload is of another number or diary");
    if (follows && record.previous !== this.hash) faults.push("it does not follow the record before it: the chain was forked or changed");
    if (!await isSignedAs(RECORD, record.key, bytesOf(shown.signature), payload)) faults.push("the signature is not its author's over the payload");
    return [...faults, ...(record.kind === "entry" ? await this.#entry(record, shown) : this.#removal(record))];
  }

  async #entry(record, { content }) {
    const faults = [];
    if (content === null || await digestOf(utf8(content)) !== record.contentHash) faults.push("the content is not the one that was signed");
    const isKnown = record.supersedes === null || this.entries.has(record.supersedes);
    if (!isKnown && !this.empty.size && !this.removals) faults.push("it replaces an entry that no record before it wrote");
    this.entries.add(record.entry);
    return faults;
  }

  #removal({ removes, removedHash, removedPrevious }) {
    this.removals += 1;
    const [hash, before] = this.empty.get(removes) ?? [];
    this.empty.delete(removes);
    if (hash !== removedHash) return ["it removes a record that is not there, or is still shown"];
    return before === removedPrevious ? [] : ["what it removes did not follow the record before it: the chain was forked or changed"];
  }

  // Keys that signed after a leaf of the log says that they were given up.
  async late(leaves) {
    const names = await Promise.all([...this.last].map(async ([key, at]) => [await fingerprintOf(key), at]));
    return names.filter(([name, at]) => leaves.some(
      (leaf) => leaf.kind === "key_changed" && leaf.before === name && at > Date.parse(leaf.at) + GIVEN_UP_MS,
    )).map(([name]) => name);
  }
}

const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// The leaf of a line of a log, or null where its proof does not hold (RFC 9162 §2.1.3.2).
export async function leafIn({ key, leaf, proof }) {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? [];
  const raw = encoded ? bytesOf(encoded) : [];
  if (raw[0] !== 1 || hex((await sha256(joined(utf8(`${name}\n`), raw))).slice(0, 4)) !== id) return null;
  const [head, body, signed] = proof.split("\n\n");
  const [header, index, ...hashes] = head.split("\n");
  const [origin, size, root] = body.split("\n");
  if (header !== "c2sp.org/tlog-proof@v1" || origin !== name) return null;
  const own = signed.split("\n").map((line) => line.split(" ")).filter((parts) => parts[1] === name)
    .map((parts) => bytesOf(parts[2])).filter((bytes) => hex(bytes.slice(0, 4)) === id);
  const good = await Promise.all(own.map((bytes) => isSigned(raw.slice(1), bytes.slice(4), utf8(`${body}\n`))));
  if (!own.length || good.includes(false)) return null;
  let at = Number(index.replace(/^index /, "")), last = Number(size) - 1;
  if (!(at >= 0 && at <= last)) return null;
  const node = (left, right) => sha256(joined([1], left, right));
  let found = await sha256(joined([0], utf8(leaf)));
  for (const text of hashes) {
    if (last <= 0) return null;
    if (at % 2 || at === last) {
      found = await node(bytesOf(text), found);
      while (at % 2 === 0 && at) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      found = await node(found, bytesOf(text));
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && hex(found) === hex(bytesOf(root)) ? JSON.parse(leaf) : null;
}
