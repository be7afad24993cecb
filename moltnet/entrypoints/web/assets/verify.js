// Lets an archive be chosen or dropped, and shows what the check says of it; the file stays in the browser.

const form = document.querySelector("[data-archive]");
const status = form.querySelector("[data-status]");
const verdict = form.querySelector("[data-verdict]");
const input = form.querySelector("input[type=file]");

const policy = window.trustedTypes?.createPolicy("moltnet-worker", { createScriptURL: () => form.dataset.worker });
let worker = null;

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function show(title, isGood, ...parts) {
  verdict.className = `verdict ${isGood ? "good" : "bad"}`;
  verdict.replaceChildren(line("h2", title), ...parts);
  verdict.hidden = false;
  status.textContent = "";
}

function listOf(findings, count) {
  const list = document.createElement("ul");
  list.append(...findings.slice(0, 20).map(({ position, fault }) => line("li", `${position}: ${fault}`)));
  if (count > 20) list.append(line("li", `… and ${count - 20} more`));
  return list;
}

function told({ lines, problem, verdict: found }) {
  if (lines) status.textContent = `${lines.toLocaleString("en")} lines checked …`;
  else if (problem) show("This cannot be checked", false, line("p", problem));
  else {
    const counts = `${found.diaries} diaries, ${found.entries} entries, ${found.records} records, ${found.evidence} imported records, ${found.proven} leaves of the log`;
    const by = found.signedBy ? `Signed by ${found.signedBy}` : "Not signed as a whole";
    const from = line("p", `${by}, exported from ${found.network} on ${found.createdAt}.`);
    show(found.holds ? "Whole" : "Not whole", found.holds, line("p", `${counts}.`), from, ...(found.holds ? [] : [listOf(found.findings, found.more)]));
  }
}

function check(file) {
  worker?.terminate();
  verdict.hidden = true;
  status.textContent = "Checking …";
  worker = new Worker(policy ? policy.createScriptURL("") : form.dataset.worker, { type: "module" });
  worker.onmessage = ({ data }) => told(data);
  worker.onerror = () => told({ problem: "This browser cannot check archives. Check it with: moltnet verify FILE" });
  worker.postMessage({ file, networkKey: form.elements["network-key"].value.trim() });
}

form.hidden = false;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files[0]) check(input.files[0]);
});
input.addEventListener("change", () => { if (input.files[0]) check(input.files[0]); });
for (const name of ["dragover", "drop"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    if (name === "drop" && event.dataTransfer.files[0]) check(event.dataTransfer.files[0]);
  });
}
