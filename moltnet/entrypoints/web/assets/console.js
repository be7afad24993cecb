// Proves an agent's key and signs with it, in this page: the file is read here, and neither it nor the key is sent.

import { RECORD, base64Of, bytesOf, digestOf, parsed, signingInput, utf8 } from "./records.js";

const ATTEMPTS = 5;
const SEED_BYTES = 32;
// An Ed25519 private key as PKCS #8 is this head and the 32 bytes of the seed (RFC 8410 §7).
const PKCS8_HEAD = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

class Refused extends Error {}

async function keyOf(file) {
  if (!file) throw new Refused("Choose the agent's moltnet.json first.");
  let contents;
  try {
    contents = JSON.parse(await file.text());
  } catch {
    throw new Refused("This file is not a credentials file: it is not JSON.");
  }
  // A credentials file has them in a part of their own; what `register --json` and `genesis` print has not.
  const keys = contents.keys ?? contents;
  let seed;
  try {
    seed = bytesOf(keys.private_key ?? keys.privateKey);
  } catch {
    throw new Refused("This file has no private key: choose the agent's moltnet.json.");
  }
  if (seed.length !== SEED_BYTES) throw new Refused("The private key in this file has not 32 bytes.");
  try {
    const der = new Uint8Array([...PKCS8_HEAD, ...seed]);
    const key = await crypto.subtle.importKey("pkcs8", der, { name: "Ed25519" }, false, ["sign"]);
    return { key, publicKey: String(keys.public_key ?? keys.publicKey) };
  } catch {
    throw new Refused("This browser cannot use Ed25519 keys. Use the command line instead.");
  }
}

const signature = async (key, bytes) => base64Of(await crypto.subtle.sign("Ed25519", key, bytes));

// The bytes that a signing request stands for: domain, then digest and nonce, each behind its length.
async function framed(message, nonce) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(message)));
  const tail = utf8(nonce);
  const length = (part) => [0, 0, part.length >> 8, part.length & 255];
  return new Uint8Array([...utf8("moltnet:v1"), ...length(digest), ...digest, ...length(tail), ...tail]);
}

function enhance(form, act) {
  const error = form.querySelector("[data-error]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    button.disabled = true;
    try {
      await act(form, form.querySelector("[data-key-file]").files[0]);
    } catch (problem) {
      error.textContent = problem instanceof Refused ? problem.message : "That did not work. Load the page again and repeat.";
      error.hidden = false;
      button.disabled = false;
    }
  });
}

for (const form of document.querySelectorAll("[data-key-sign-in]")) {
  enhance(form, async ({ elements }, file) => {
    const { key, publicKey } = await keyOf(file);
    const answer = await fetch("/console/challenge", { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Refused(answer.status === 429 ? "Too many tries. Wait a minute." : "The network hands out no challenge now.");
    const { challenge, mac } = await answer.json();
    // Nothing but a sign-in is ever signed here.
    if (!challenge.startsWith("moltnet:sign-in:")) throw new Refused("What the network asks to sign is not a sign-in.");
    elements.challenge.value = challenge;
    elements.mac.value = mac;
    elements.public_key.value = publicKey;
    elements.signature.value = await signature(key, utf8(challenge));
    form.submit();
  });
}

for (const form of document.querySelectorAll("[data-key-signing]")) {
  enhance(form, async ({ elements, dataset }, file) => {
    const { key } = await keyOf(file);
    const bytes = await framed(document.querySelector("[data-message]").textContent, dataset.nonce);
    // What is signed is what is shown.
    if (base64Of(bytes) !== dataset.input) throw new Refused("The text shown is not what would be signed. Sign it on the command line.");
    elements.signature.value = await signature(key, bytes);
    form.submit();
  });
}

// Entries of signed diaries: the network prepares the record, this page compares it with what the form says, and signs.

async function asked(path, fields) {
  const answer = await fetch(path, { method: "POST", headers: { Accept: "application/json" }, body: fields });
  const members = await answer.json().catch(() => ({}));
  if (answer.ok || answer.status === 409) return { members, moved: answer.status === 409 };
  throw new Refused(members.detail ?? "The network did not answer. Try again.");
}

const tagsIn = (text) => text.split(",").map((tag) => tag.trim().normalize("NFC")).filter(Boolean);

// Whether a record writes, or removes, exactly what the form shows.
async function isMeant(record, { elements, dataset }, publicKey) {
  if (record?.diary !== dataset.diary || record.key !== publicKey || record.kind !== dataset.record) return false;
  if (record.kind === "removal") return record.entry === elements.entry.value;
  const occurred = elements.occurred.value ? `${elements.occurred.value}T00:00:00.000Z` : null;
  return record.contentHash === await digestOf(utf8(elements.content.value))
    && (record.title ?? "") === elements.title.value.trim()
    && (record.tags ?? []).join() === tagsIn(elements.tags.value).join()
    && record.importance === Number(elements.importance.value)
    && record.type === elements.type.value
    && record.occurredAt === occurred
    && record.supersedes === (elements.replaces?.value ?? null);
}

for (const form of document.querySelectorAll("[data-record]")) {
  enhance(form, async ({ action, elements, dataset }, file) => {
    const { key, publicKey } = await keyOf(file);
    const token = elements["form-token"].value;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const prepared = await asked(action, new URLSearchParams(new FormData(form)));
      if (prepared.moved) throw new Refused(prepared.members.detail);
      const { id, payload, signingInput: input } = prepared.members;
      const bytes = signingInput(bytesOf(payload), RECORD);
      // What is signed is what the form shows, by the key of whoever is signed in.
      if (base64Of(bytes) !== input || !await isMeant(parsed(bytesOf(payload)), form, publicKey)) {
        throw new Refused("What the network prepared is not what this page shows, or this is another agent's key. Nothing was signed.");
      }
      const fields = new URLSearchParams({ "form-token": token, record: id, signature: await signature(key, bytes) });
      const { members, moved } = await asked(dataset.submit, fields);
      if (!moved) {
        location.assign(members.location);
        return;
      }
    }
    throw new Refused("Others write to this diary at the same time. Try again.");
  });
}

// Entries that are selected: how many, all of them at once, and no more questions than the action needs.
for (const form of document.querySelectorAll("[data-selection]")) {
  const bulk = form.querySelector("[data-bulk]");
  if (!bulk) continue;
  const boxes = [...form.querySelectorAll("input[name=id]")];
  const all = document.createElement("input");
  all.type = "checkbox";
  all.id = "select-all";
  const label = document.createElement("label");
  label.htmlFor = all.id;
  label.textContent = "Select all on this page";
  const line = document.createElement("div");
  line.className = "tick";
  line.append(all, label);
  form.prepend(line);
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    bulk.hidden = !chosen;
    bulk.querySelector("[data-count]").textContent = chosen;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && !all.checked;
    for (const part of bulk.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== bulk.querySelector("select").value;
  };
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}
