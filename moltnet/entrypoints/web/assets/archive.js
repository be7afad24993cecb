// Checks an archive of diaries beside the page (docs/reference/archive.md, "Checking"): a worker, told a file, tells a verdict.

import { bytesOf, digestOf, textOf, utf8 } from "./records.js";
import { Chain, evidence, isSignedAs, leafIn } from "./chain.js";
import { Unreadable, bytesIn, membersOf } from "./zip.js";

const ARCHIVE = "application/vnd.moltnet.archive.v1+json";
const SMALL_MAX = 16 * 2 ** 20, PART_MAX = 256 * 2 ** 20, FINDINGS_MAX = 100, TELL_EVERY = 250;
const COMMAND = "Check it with: moltnet verify FILE";

class Check {
  findings = [];
  counts = { entries: 0, records: 0, evidence: 0, proven: 0 };
  lines = 0;

  constructor(file, networkKey) {
    Object.assign(this, { file, networkKey });
  }

  found(position, fault) {
    this.findings.push({ position, fault });
  }

  async small(name) {
    const member = this.members.get(name);
    return member ? bytesIn(this.file, member, Math.min(this.file.size * 1100, SMALL_MAX)) : null;
  }

  async run() {
    this.members = await membersOf(this.file);
    const payload = await this.small("manifest.json");
    if (!payload) throw new Unreadable("it has no manifest.json: it is no archive of diaries, or not a whole one");
    let manifest;
    try {
      manifest = JSON.parse(textOf(payload));
      if (manifest.format !== "moltnet-archive" || manifest.version !== 1) throw new Error(manifest.format);
    } catch {
      throw new Unreadable("manifest.json of the archive is damaged, or of another format or version");
    }
    const named = [manifest.log, ...manifest.diaries.flatMap(({ entries, imports, log }) => [entries, imports, log])]
      .filter(Boolean).map((part) => part.file);
    if (new Set(named).size < named.length) throw new Unreadable("manifest.json names a file more than once");
    const signedBy = await this.signature(manifest, payload);
    for (const diary of manifest.diaries) await (diary.signed ? this.chain(diary) : this.plain(diary));
    const { agent, network, createdAt, diaries } = manifest;
    return {
      findings: this.findings.slice(0, FINDINGS_MAX), holds: !this.findings.length, more: this.findings.length,
      signedBy: signedBy && agent.fingerprint, network, createdAt, diaries: diaries.length, ...this.counts,
    };
  }

  async signature({ agent, log }, payload) {
    if (!this.members.has("signature.json")) return false;
    let isGood = false;
    try {
      const { sig } = JSON.parse(textOf(await this.small("signature.json")));
      isGood = await isSignedAs(ARCHIVE, agent.publicKey, bytesOf(sig), payload);
    } catch { /* then it is not */ }
    if (isGood) await this.expectProven("signature.json", [agent.publicKey], await this.leaves(log));
    else this.found("signature.json", "the signature is not the exporting agent's over manifest.json");
    return isGood;
  }

  // Calls with each line of a part and its position; what is wrong with a line does not stop the others.
  async each(part, act) {
    const member = this.members.get(part.file);
    if (part.bytes > PART_MAX) throw new Unreadable("it is too large for a page");
    const bytes = member ? await bytesIn(this.file, member, part.bytes) : null;
    if (!bytes || bytes.length !== part.bytes || await digestOf(bytes) !== part.sha256) {
      this.found(part.file, member ? "its lines are not those of the manifest: some were changed, added, moved or left out" : "it is missing");
    }
    let number = 0;
    for (let from = 0, to; bytes && (to = bytes.indexOf(10, from)) >= 0; from = to + 1) {
      number += 1;
      this.lines += 1;
      if (this.lines % TELL_EVERY === 0) postMessage({ lines: this.lines });
      const position = `${part.file}:${number}`;
      try {
        await act(JSON.parse(textOf(bytes.subarray(from, to))), position);
      } catch {
        this.found(position, "the line is not what it should be");
      }
    }
    if (number !== part.lines) this.found(part.file, `it has ${number} lines, and the manifest says ${part.lines}`);
  }

  async leaves(part) {
    const found = [];
    if (part) {
      await this.each(part, async (line, position) => {
        if (this.networkKey && line.key !== this.networkKey) this.found(position, `it is proven by another log: ${line.key}`);
        else found.push(await this.leaf(line, position));
      });
    }
    return found.filter(Boolean);
  }

  async leaf(line, position) {
    const leaf = await leafIn(line).catch(() => null);
    if (leaf) this.counts.proven += 1;
    else this.found(position, "the proof does not show the leaf in the tree that was signed");
    return leaf;
  }

  expectProven(position, keys, leaves) {
    const proven = new Set(leaves.map((leaf) => leaf.key));
    for (const key of this.networkKey ? keys : []) {
      if (!proven.has(key)) this.found(position, `the open log does not prove that ${key} is an agent's key`);
    }
  }

  async chain(diary) {
    const leaves = await this.leaves(diary.log);
    const heads = new Map(leaves.filter((leaf) => leaf.kind === "diary_head" && leaf.diary === diary.id).map((leaf) => [leaf.sequence, leaf.hash]));
    const chain = new Chain(diary.id);
    const { file } = diary.entries;
    await this.each(diary.entries, async (shown, position) => {
      for (const fault of await chain.add(shown)) this.found(position, fault);
      this.counts.records += 1;
      if ((heads.get(shown.sequence) ?? shown.hash) !== shown.hash) this.found(position, "the open log has another record of this number");
      heads.delete(shown.sequence);
    });
    for (const sequence of heads.keys()) this.found(file, `the open log has a record ${sequence}, which is missing`);
    for (const sequence of chain.empty.keys()) this.found(`${file}, record ${sequence}`, "it is empty, and no later record removes it");
    for (const name of await chain.late(leaves)) this.found(file, `${name} signed after the key was given up`);
    this.expectProven(file, chain.last.keys(), leaves);
    const { sequence, hash } = diary.head ?? {};
    if (sequence !== chain.sequence || hash !== chain.hash) this.found(file, "its last record is not the one that the manifest names");
    this.counts.entries += chain.entries.size;
  }

  async plain(diary) {
    const hashes = new Map();
    await this.each(diary.entries, async ({ id, content }, position) => {
      if (hashes.has(id)) this.found(position, "this entry came before");
      hashes.set(id, await digestOf(utf8(content)));
      this.counts.entries += 1;
    });
    if (diary.imports) {
      await this.each(diary.imports, async ({ entry, record: shown, proof }, position) => {
        if (proof) await this.leaf(proof, position);
        if (!shown?.payload) return;
        const { faults, record } = await evidence(shown);
        for (const fault of faults) this.found(position, fault);
        if (record && (record.kind === "removal" || record.contentHash === hashes.get(entry))) this.counts.evidence += 1;
      });
    }
  }
}

onmessage = async ({ data: { file, networkKey } }) => {
  try {
    const start = new TextDecoder().decode(await file.slice(0, 19).arrayBuffer());
    if (start === "age-encryption.org/") throw new Unreadable("it is encrypted, and no key belongs into a page");
    postMessage({ verdict: await new Check(file, networkKey).run() });
  } catch (problem) {
    const reason = problem instanceof Unreadable ? problem.message : "it is damaged, or too large for this browser";
    postMessage({ problem: `${reason}. ${COMMAND}` });
  }
};
