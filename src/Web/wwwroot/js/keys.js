// Every act shows its key and carries it as data-key: "N" on worklists, "Alt+K" in forms, "Alt+1" on the rail,
// "Ctrl+Enter" on the primary, "Enter" on the open row, "Esc" on what closes. A key clicks its act; it does nothing else.
const editable = target => target instanceof HTMLElement
  && (target.isContentEditable || target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])'));
const lettersAct = () => document.body.dataset.letters !== 'off';
const openDialog = () => [...document.querySelectorAll('dialog[open]')].at(-1);
const usable = element => !element.disabled && element.getAttribute('aria-disabled') !== 'true' && element.checkVisibility();

function nameOf(event) {
  const key = event.key === 'Escape' ? 'Esc' : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  // Alt with a letter types another sign on some keyboards, so the place of the key decides there.
  const placed = event.altKey && /^(Key|Digit)/.test(event.code) ? event.code.replace(/^(Key|Digit)/, '') : key;
  return (event.ctrlKey || event.metaKey ? 'Ctrl+' : '') + (event.altKey ? 'Alt+' : '') + placed;
}

function actFor(name) {
  const within = openDialog() ?? document;
  return [...within.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].find(usable);
}

export function open(dialog, opener) {
  if (dialog.open) return;
  if (dialog.id === 'keys') listKeys(dialog);
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent('mg:open', { detail: { opener } }));
}

function listKeys(dialog) {
  const list = dialog.querySelector('[data-keys-here]');
  if (!list) return;
  list.replaceChildren();
  const seen = new Set();
  for (const element of document.querySelectorAll('main [data-key], .rail [data-key], .banner [data-key]')) {
    const { key } = element.dataset;
    if (seen.has(key) || !usable(element)) continue;
    seen.add(key);
    const dt = document.createElement('dt');
    const kbd = document.createElement('kbd');
    kbd.textContent = key.replaceAll('+', ' ');
    dt.append(kbd);
    const dd = document.createElement('dd');
    const words = element.cloneNode(true);
    for (const drop of words.querySelectorAll('kbd, .count, .visually-hidden, svg')) drop.remove();
    // A patient's name on a button is not repeated here: the list names acts.
    dd.textContent = element.dataset.keyLabel ?? element.getAttribute('aria-label') ?? words.textContent.trim().split(':')[0];
    list.append(dt, dd);
  }
}

function nextField(field, form) {
  // A group of radio buttons is one field: the chosen one stands for it, or the first.
  const standsFor = f => f.type !== 'radio' || f === field
    || f === (form.querySelector(`input[type=radio][name="${CSS.escape(f.name)}"]:checked`) ?? form.elements[f.name]?.[0] ?? f);
  const group = field.type === 'radio' ? field.name : undefined;
  const fields = [...form.elements].filter(f => usable(f) && f.type !== 'hidden' && f.tagName !== 'FIELDSET' && f.tabIndex >= 0
    && standsFor(f) && (f === field || f.type !== 'radio' || f.name !== group));
  const next = fields[fields.indexOf(field) + 1];
  next?.focus();
  if (next instanceof HTMLInputElement && next.type === 'text') next.select();
}

document.addEventListener('keydown', event => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const name = nameOf(event);
  const inField = editable(event.target);

  if (name === 'Ctrl+K') {
    const palette = document.getElementById('palette');
    if (!palette) return;
    event.preventDefault();
    open(palette);
    return;
  }

  const choice = event.target instanceof HTMLInputElement && (event.target.type === 'radio' || event.target.type === 'checkbox');
  if (name === 'Enter' && (inField || (choice && event.target.closest('form[data-enter-next]')))) {
    const form = event.target.closest('form[data-enter-next]');
    if (form && event.target.tagName !== 'TEXTAREA') {
      event.preventDefault();
      nextField(event.target, form);
    }
    return;
  }

  // Enter on a link or button is its own; the open row only takes what nothing else wants.
  if (name === 'Enter' && event.target.closest?.('a, button, summary, [role=option]')) return;

  const bare = !event.ctrlKey && !event.altKey && !event.metaKey && event.key.length === 1;
  if (bare && inField) return;
  if (bare && name === '/' && !openDialog()) {
    const find = document.querySelector('[data-find]');
    const palette = document.getElementById('palette');
    if (!find?.checkVisibility() && !palette) return;
    event.preventDefault();
    if (find?.checkVisibility()) {
      find.focus();
      find.select();
    } else {
      open(palette);
    }
    return;
  }
  if (bare && name !== '?' && !lettersAct()) return;
  if (name === 'Esc' && openDialog()) return;
  if (name === 'Esc' && inField) {
    event.target.blur();
    return;
  }

  const act = actFor(name);
  if (!act) return;
  event.preventDefault();
  act.focus({ preventScroll: true });
  act.click();
});

document.addEventListener('click', event => {
  const opener = event.target.closest?.('[data-open]');
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    open(dialog, opener);
  }
  event.target.closest?.('[data-close]')?.closest('dialog')?.close();
  event.target.closest?.('[data-dismiss]')?.closest('[role=alert]')?.remove();
  // The likely value of an impossible one: taken by a click or its key.
  const use = event.target.closest?.('[data-use]');
  const field = use && document.getElementById(use.dataset.for);
  if (field) {
    field.value = use.dataset.use;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
    field.focus();
  }
});

function announce(within) {
  for (const element of within.querySelectorAll?.('[data-key]:not([aria-keyshortcuts])') ?? []) {
    element.setAttribute('aria-keyshortcuts', element.dataset.key.replace('Ctrl', 'Control').replace(/^Esc$/, 'Escape'));
  }
}
announce(document);
document.addEventListener('htmx:load', event => announce(event.target));
