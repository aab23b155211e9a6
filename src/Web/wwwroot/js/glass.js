// The strip of a record that is open by emergency access: counts down, and when the time is over, or the server says that it
// is closed, everything of the record leaves the page at once. Nothing is asked for by that, so an unattended screen still locks.
let ends = 0;
let counted;

function over() {
  const template = document.getElementById('glass-over');
  const app = document.querySelector('.app');
  if (!template || !app) return;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  // It leads to what is gone.
  document.querySelector('.skip')?.remove();
  app.replaceWith(template.content.cloneNode(true));
  document.querySelector('[data-glass-over]')?.focus();
}

function begin(strip) {
  counted = strip;
  // Two clocks: one may be set back, the other sleeps with the machine on some systems.
  const left = Number(strip.dataset.glassLeft) * 1000;
  ends = { wall: Date.now() + left, ticks: performance.now() + left };
  const label = document.querySelector('[data-glass-label]');
  if (label) label.textContent = 'closes in';
}

function tick() {
  // send.js replaces the view, so the strip may be another one than a second ago.
  const strip = document.querySelector('[data-glass-left]');
  if (!strip?.dataset.glassLeft) return;
  if (strip !== counted) begin(strip);
  const left = Math.ceil(Math.min(ends.wall - Date.now(), ends.ticks - performance.now()) / 1000);
  if (left <= 0) {
    over();
    return;
  }
  const text = `${String(Math.floor(left / 60)).padStart(2, '0')}:${String(left % 60).padStart(2, '0')}`;
  const place = strip.querySelector('bdi') ?? strip;
  if (place.textContent !== text) place.textContent = text;
}

async function ask() {
  const strip = document.querySelector('[data-glass-state]');
  if (!strip?.dataset.glassState) return;
  try {
    const answer = await fetch(strip.dataset.glassState, { headers: { 'X-Background': '1' }, credentials: 'same-origin', redirect: 'manual', cache: 'no-store' });
    if (answer.ok) {
      strip.dataset.glassLeft = await answer.text();
      counted = undefined;
      tick();
    } else if (answer.status === 404 || answer.status === 401) {
      over();
    }
  } catch {
    // Without the server the page counts by itself.
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener('visibilitychange', tick);
document.body.addEventListener('mg:privacy', ask);
document.body.addEventListener('mg:all', ask);
