// Worklists that refresh by themselves: the server names a topic, htmx fetches what listens to it. No data travels here.
// Also the one place that says when the server cannot be reached or an act failed.
import { isLocking } from './lock.js';

const address = document.body.dataset.events;
let source;
let wasOffline = false;
let retry = 0;

function offline(yes) {
  document.documentElement.classList.toggle('is-offline', yes);
  const strip = document.querySelector('[data-offline]');
  if (strip) strip.hidden = !yes;
  if (yes) wasOffline = true;
}

const fire = topic => window.htmx?.trigger(document.body, `mg:${topic}`);

function connect() {
  source = new EventSource(address);
  source.addEventListener('open', () => {
    retry = 0;
    offline(false);
    // What happened meanwhile is unknown, so everything that listens is fetched again.
    if (wasOffline) fire('all');
    wasOffline = false;
  });
  source.addEventListener('message', event => {
    if (event.data === 'lock') location.reload();
    else if (/^[a-z][a-z-]{0,39}$/.test(event.data)) fire(event.data);
  });
  source.addEventListener('error', () => {
    if (isLocking()) return;
    offline(true);
    // A refused stream is closed for good by the browser; a lost one it opens again by itself.
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(retry);
    retry = setTimeout(connect, 5000);
  });
}

export function close() {
  clearTimeout(retry);
  source?.close();
}

if (address) {
  connect();
  // For what shows how long somebody waits. It is no gesture of a person, so it keeps no screen open.
  setInterval(() => fire('minute'), 60_000);
  document.addEventListener('mg:lock', close);
  addEventListener('pagehide', close);
}

function failed(text) {
  const template = document.getElementById('failure');
  const place = document.querySelector('[data-failures]');
  if (!template || !place) return;
  const box = template.content.cloneNode(true);
  box.querySelector('[data-text]').textContent = text;
  place.replaceChildren(box);
}

document.addEventListener('htmx:sendError', () => failed('The server cannot be reached. Nothing was changed; try again when the connection is back.'));
document.addEventListener('htmx:timeout', () => failed('The server took too long. Look whether it was done before you repeat it.'));
document.addEventListener('htmx:responseError', event => {
  const { status, responseText } = event.detail.xhr;
  // What the server says of its own accord tells best what to do.
  const said = new DOMParser().parseFromString(responseText, 'text/html').querySelector('[data-refused]')?.textContent;
  // Signed out or locked elsewhere: the server shows the right page for this address.
  if (status === 401) location.reload();
  else if (said) failed(said);
  else if (status === 400) failed('The server refused what was sent. Load the page again, then repeat it.');
  else if (status === 403 || status === 404) failed('It is not there, or not open to you.');
  else if (status === 409) failed('Somebody else changed this meanwhile. Load the page again to see it.');
  else failed('Something broke on the server. Look whether it was done before you repeat it.');
});

// A refresh that no person asked for must not keep an unattended screen open.
// A poll has no event at all.
document.addEventListener('htmx:configRequest', event => {
  const type = event.detail.triggeringEvent?.type;
  if (!type || type.startsWith('mg:')) event.detail.headers['X-Background'] = '1';
});

// An act stays shut while the element that it names in data-gate says what is still open. The server refuses it in any case.
document.addEventListener('htmx:oobAfterSwap', () => {
  for (const act of document.querySelectorAll('[data-gate]')) act.disabled = Boolean(document.getElementById(act.dataset.gate)?.textContent.trim());
});
