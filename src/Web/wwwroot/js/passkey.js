// Passkeys: where a form says so, the browser is asked for one and the form carries its answer. Nothing is kept here.
const usable = 'credentials' in navigator && typeof globalThis.PublicKeyCredential === 'function';

const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), sign => sign.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

// Older browsers have passkeys and not yet the functions that read and write them as JSON.
function read(use, options) {
  const known = use === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
  if (PublicKeyCredential[known]) return PublicKeyCredential[known](options);
  const named = list => (list ?? []).map(one => ({ ...one, id: bytes(one.id) }));
  const challenge = bytes(options.challenge);
  return use === 'create'
    ? { ...options, challenge, user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: named(options.excludeCredentials) }
    : { ...options, challenge, allowCredentials: named(options.allowCredentials) };
}

function written(made) {
  if (made.toJSON) return made.toJSON();
  const { response } = made;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    said.attestationObject = text(response.attestationObject);
    said.transports = response.getTransports?.() ?? [];
  } else {
    said.authenticatorData = text(response.authenticatorData);
    said.signature = text(response.signature);
    if (response.userHandle) said.userHandle = text(response.userHandle);
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: made.getClientExtensionResults(), response: said };
}

async function ask({ passkey: use, passkeyFrom: from }) {
  const asked = await fetch(from, { credentials: 'same-origin', cache: 'no-store' });
  // Sent without an answer: the server says why it asks for none, and what to do.
  if (!asked.ok) return '';
  const publicKey = read(use, await asked.json());
  const made = use === 'create' ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
  return JSON.stringify(written(made));
}

const say = (form, what) => form.querySelectorAll('[data-passkey-says]').forEach(box => { box.hidden = box.dataset.passkeySays !== what; });

// In the capturing phase, before anything sends the form: asked first, then submitted again as it was.
document.addEventListener('submit', async event => {
  const form = event.target;
  const { submitter } = event;
  // A form asks whenever it is sent, or by one of its buttons.
  const asks = submitter?.dataset.passkey ? submitter : form;
  if (!asks.dataset.passkey) {
    if (form.elements.credential) form.elements.credential.value = '';
    return;
  }
  if (form.dataset.passkeyShown) {
    delete form.dataset.passkeyShown;
    return;
  }
  form.elements.credential.value = '';
  const { passkeyUnless: unless } = asks.dataset;
  if (!usable || (unless && form.elements[unless]?.value)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.passkeyAsking) return;
  form.dataset.passkeyAsking = 'now';
  say(form, 'nothing');
  try {
    form.elements.credential.value = await ask(asks.dataset);
  } catch (error) {
    // The browser tells no more than this, so that no page learns which keys somebody has.
    say(form, error.name === 'InvalidStateError' ? 'known' : 'failed');
    return;
  } finally {
    delete form.dataset.passkeyAsking;
  }
  form.dataset.passkeyShown = 'yes';
  form.requestSubmit(submitter);
}, true);

function offer() {
  if (usable) return;
  for (const one of document.querySelectorAll('[data-passkey-offer]')) one.hidden = true;
  for (const one of document.querySelectorAll('[data-passkey-none]')) one.hidden = false;
}

offer();
document.addEventListener('htmx:afterSettle', offer);
