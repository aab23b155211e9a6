// Locks the screen: by its button or Alt+L, and by itself after data-idle seconds without a key or pointer. What is
// shown goes at once, drafts are saved, then the server locks the session. A page from the history is always fetched anew.
const lockForm = () => document.querySelector('form[data-lock]');
const idle = Number(document.body.dataset.idle ?? 0) * 1000;
// Tells this browser's other tabs; the word is all that is sent.
const tabs = new BroadcastChannel('mangrove');
let locking = false;
let last = Date.now();

export const isLocking = () => locking;

async function lock() {
  if (locking) return;
  locking = true;
  const app = document.querySelector('.app');
  if (app) app.hidden = true;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  document.dispatchEvent(new CustomEvent('mg:lock'));
  try {
    const { saveAll } = await import('./drafts.js');
    await Promise.race([saveAll(), new Promise(done => setTimeout(done, 1500))]);
    const form = lockForm();
    await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), credentials: 'same-origin', redirect: 'manual', keepalive: true, signal: AbortSignal.timeout(5000) });
  } catch {
    // Without the server the screen is cleared all the same; the session's own timer locks it there.
  }
  tabs.postMessage('lock');
  // Gone from the document too: nothing of the chart is left to be brought back by developer tools or history.
  app?.remove();
  location.replace(`/locked?back=${encodeURIComponent(location.pathname + location.search)}`);
}

tabs.addEventListener('message', event => { if (event.data === 'lock' && !locking) location.reload(); });

// In the capturing phase: nothing else sends this form.
document.addEventListener('submit', event => {
  if (!event.target.matches('form[data-lock]')) return;
  event.preventDefault();
  lock();
}, true);

if (lockForm()) {
  // Somebody who reads and asks nothing of the server is still there: say so at most once a minute.
  setInterval(() => { if (!locking && Date.now() - last < 60000) window.htmx?.ajax('POST', '/gesture', { swap: 'none', source: document.body }); }, 60000);
  if (idle > 0) {
    for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) addEventListener(kind, () => { last = Date.now(); }, { passive: true, capture: true });
    // Wall clock, looked at every second: a timer alone sleeps with the machine and would come back unlocked.
    setInterval(() => { if (Date.now() - last >= idle) lock(); }, 1000);
    document.addEventListener('visibilitychange', () => { if (Date.now() - last >= idle) lock(); });
  }
}

addEventListener('pageshow', event => { if (event.persisted) location.reload(); });
