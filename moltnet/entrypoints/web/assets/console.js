// Proves an agent's key and signs with it, in this page: the file is read here, and neither it nor the key is sent.

const SEED_BYTES = 32;
// An Ed25519 private key as PKCS #8 is this head and the 32 bytes of the seed (RFC 8410 §7).
const PKCS8_HEAD = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const base64Of = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const utf8 = (text) => new TextEncoder().encode(text);

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

function enhance(form, fill) {
  const error = form.querySelector("[data-error]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    button.disabled = true;
    try {
      await fill(form, form.querySelector("[data-key-file]").files[0]);
      form.submit();
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
  });
}

for (const form of document.querySelectorAll("[data-key-signing]")) {
  enhance(form, async ({ elements, dataset }, file) => {
    const { key } = await keyOf(file);
    const bytes = await framed(document.querySelector("[data-message]").textContent, dataset.nonce);
    // What is signed is what is shown.
    if (base64Of(bytes) !== dataset.input) throw new Refused("The text shown is not what would be signed. Sign it on the command line.");
    elements.signature.value = await signature(key, bytes);
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
