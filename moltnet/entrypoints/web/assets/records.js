// Records of signed diaries, and what else is signed in an envelope (docs/reference/records.md): for signing, and checking.

export const RECORD = "application/vnd.moltnet.record.v1+json";

export const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
export const base64Of = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
export const utf8 = (text) => new TextEncoder().encode(text);
export const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

export async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// RFC 8785: members by their UTF-16 code units, and numbers and texts as JSON.stringify writes them.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

// The bytes that a signature covers: DSSE's pre-authentication encoding of a payload.
export function signingInput(payload, type) {
  const head = utf8(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const joined = new Uint8Array(head.length + payload.length);
  joined.set(head);
  joined.set(payload, head.length);
  return joined;
}

// The members of a record, or null of bytes that are not in canonical form.
export function parsed(payload) {
  try {
    const text = textOf(payload);
    const members = JSON.parse(text);
    return canonical(members) === text ? members : null;
  } catch {
    return null;
  }
}
