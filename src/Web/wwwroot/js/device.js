// The key of this browser as a registered device. It is made here and cannot be taken out: the page can only ask it to
// sign. Forms that sign in, resume or register carry what it signed; nothing else uses it.
const NAME = 'mangrove-device';

function store() {
  return new Promise((done, failed) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
    opening.onsuccess = () => done(opening.result);
    opening.onerror = () => failed(opening.error);
  });
}

async function inStore(mode, act) {
  const database = await store();
  try {
    return await new Promise((done, failed) => {
      const work = database.transaction('keys', mode);
      const asked = act(work.objectStore('keys'));
      work.oncomplete = () => done(asked.result);
      work.onerror = () => failed(work.error);
      work.onabort = () => failed(work.error);
    });
  } finally {
    database.close();
  }
}

const base64 = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)));
const keyNow = () => inStore('readonly', keys => keys.get('key'));

async function newKey() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  await inStore('readwrite', keys => keys.put(pair, 'key'));
  return pair;
}

async function prove(form) {
  const use = form.dataset.device;
  const pair = use === 'enrol' ? await newKey() : await keyNow();
  if (!pair) return;
  const asked = await fetch('/device/challenge', { credentials: 'same-origin', cache: 'no-store' });
  if (!asked.ok) return;
  const nonce = await asked.text();
  const signed = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new TextEncoder().encode(`mangrove device ${use} ${nonce}`));
  if (use === 'enrol') form.elements.key.value = base64(await crypto.subtle.exportKey('spki', pair.publicKey));
  form.elements.nonce.value = nonce;
  form.elements.proof.value = base64(signed);
}

// In the capturing phase, before anything sends the form: signed first, then submitted again as it was.
document.addEventListener('submit', async event => {
  const form = event.target;
  if (!form.dataset.device || form.dataset.proved) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.proving) return;
  form.dataset.proving = 'now';
  const { submitter } = event;
  try {
    await prove(form);
  } catch {
    // Sent without a proof: the server says that this browser has none and what to do.
  }
  form.dataset.proved = 'yes';
  form.requestSubmit(submitter);
}, true);

// A link or a QR code carries its codes behind the #, which no server's address, no history of a proxy and no log ever
// sees: that of this device, alone or as device=, and as code= that of the person, who chooses a password afterwards.
if (location.hash.length > 1) {
  const text = location.hash.slice(1);
  const behind = new URLSearchParams(text.includes('=') ? text : { device: text });
  const device = document.querySelector('form[data-device=enrol]');
  if (device) {
    if (behind.get('device')) device.elements.code.value = behind.get('device');
    if (behind.get('code')) device.elements.then.value += `#${new URLSearchParams({ code: behind.get('code') })}`;
  }
  const link = document.querySelector('input[data-link-code]');
  if (link && behind.get('code')) link.value = behind.get('code');
  if (device || link) history.replaceState(null, '', location.pathname + location.search);
}
