// Arrow keys in a field walk the options of its list (data-listbox names the element around them). Enter chooses.
// Used by the palette and by every PickField. Options come from the server as role=option.
const box = input => document.getElementById(input.dataset.listbox);
const options = input => [...box(input).querySelectorAll('[role=option]')];

// What was typed in each field, and for what its list is the answer. A list that answers an earlier word is still there to
// be seen while the next one is on its way, but chooses nothing: it would be another patient or another medicine.
const typed = new WeakSet();
const answered = new WeakMap();
const stale = input => typed.has(input) && answered.get(input) !== input.value;

// The list says that an answer is on its way, for those who hear the page too.
document.addEventListener('input', event => {
  const input = event.target;
  if (!input.dataset?.listbox) return;
  typed.add(input);
  box(input)?.setAttribute('aria-busy', String(stale(input)));
}, true);

export function mark(input, chosen) {
  for (const option of options(input)) {
    const on = option === chosen;
    option.classList.toggle('is-on', on);
    option.setAttribute('aria-selected', String(on));
  }
  if (chosen?.id) input.setAttribute('aria-activedescendant', chosen.id);
  else input.removeAttribute('aria-activedescendant');
  chosen?.scrollIntoView({ block: 'nearest' });
}

function choose(option, newTab) {
  const link = option.querySelector('a[href]');
  const address = option.dataset.href ?? link?.getAttribute('href');
  if (address && newTab) window.open(address, '_blank', 'noopener');
  else if (address) location.assign(address);
  else option.click();
}

document.addEventListener('keydown', event => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.dataset.listbox || event.isComposing) return;
  const all = options(input);
  const at = all.findIndex(option => option.classList.contains('is-on'));
  if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && all.length > 0) {
    const step = event.key === 'ArrowDown' ? 1 : -1;
    mark(input, all[(at + step + all.length) % all.length]);
  } else if (event.key === 'Enter' && all.length > 0) {
    if (!stale(input)) choose(all[at < 0 ? 0 : at], event.ctrlKey);
  } else if (event.key === 'Escape' && all.length > 0 && !input.closest('dialog')) {
    box(input).replaceChildren();
    input.setAttribute('aria-expanded', 'false');
  } else {
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

document.addEventListener('click', event => {
  const option = event.target.closest?.('[role=option][data-href]');
  if (option) location.assign(option.dataset.href);
});

// A fresh list has its first option marked, and the field says that the list is open. It can be walked as soon as it is to
// be seen, so it is marked when it is swapped in; what settles later leaves the choice that was made meanwhile.
function answer(event, keep) {
  for (const input of document.querySelectorAll('[data-listbox]')) {
    const list = box(input);
    if (!list || !(list === event.target || list.contains(event.target) || event.target.contains?.(list))) continue;
    const asked = event.detail.requestConfig;
    if (asked?.elt === input) answered.set(input, asked.parameters[input.name] ?? '');
    const all = options(input);
    all.forEach((option, n) => { option.id ||= `${list.id}-${n}`; });
    list.setAttribute('aria-busy', String(stale(input)));
    input.setAttribute('aria-expanded', String(all.length > 0));
    const chosen = keep ? all.find(option => option.id === input.getAttribute('aria-activedescendant')) : null;
    mark(input, chosen ?? all[0]);
  }
}

document.addEventListener('htmx:afterSwap', event => answer(event, false));
document.addEventListener('htmx:afterSettle', event => answer(event, true));

// A choice was taken: its list closes and the field is ready for the next one. A refused choice leaves both as they are.
document.addEventListener('htmx:afterRequest', event => {
  const option = event.target.closest?.('[role=option]');
  if (!option || !event.detail.successful) return;
  for (const input of document.querySelectorAll('[data-listbox]')) {
    if (!box(input)?.contains(option)) continue;
    box(input).replaceChildren();
    input.value = '';
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
    input.focus();
  }
});
