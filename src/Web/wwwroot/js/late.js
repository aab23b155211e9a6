// A fragment holds its fields as they were when it was asked for. Whoever types on while the answer is on its way must
// not lose a letter, so what was typed since is put back into the fields that the answer replaced.
const edits = new Map();
const asked = new WeakMap();
let order = 0;
let mine = false;
let active = '';

const isField = element => element?.name && element.type !== 'hidden' && element.matches?.('input, select, textarea');
const keyOf = field => [field.form?.id ?? '', field.name, field.type === 'checkbox' ? field.value : ''].join('\n');
const stateOf = field => (field.type === 'checkbox' ? field.checked : field.value);

function find(key, { element, state }) {
  for (const field of document.getElementsByName(element.name)) {
    if (isField(field) && keyOf(field) === key && (field.type !== 'radio' || field.value === state)) return field;
  }
  return undefined;
}

function noted(event) {
  const field = event.target;
  if (mine || !isField(field)) return;
  edits.set(keyOf(field), { element: field, state: stateOf(field), at: ++order });
}

// In the capturing phase, so that a request which this very event starts is younger than the edit.
document.addEventListener('input', noted, true);
document.addEventListener('change', noted, true);

document.addEventListener('htmx:beforeRequest', event => asked.set(event.detail.xhr, order));

document.addEventListener('htmx:beforeOnLoad', () => {
  const field = document.activeElement;
  active = isField(field) ? keyOf(field) : '';
});

document.addEventListener('htmx:afterOnLoad', event => {
  const since = asked.get(event.detail.xhr) ?? order;
  const restored = [];
  for (const [key, edit] of edits) {
    if (edit.at <= since || edit.element.isConnected) continue;
    const field = find(key, edit);
    if (!field) continue;
    if (field.type === 'radio' || field.type === 'checkbox') field.checked = field.type === 'radio' || edit.state;
    else field.value = edit.state;
    edit.element = field;
    restored.push(field);
  }

  // htmx finds the focus again by an id; choices have none.
  if (active && document.activeElement === document.body) {
    const field = [...document.querySelectorAll('input, select, textarea')].find(one => isField(one) && keyOf(one) === active && (one.type !== 'radio' || one.checked));
    field?.focus({ preventScroll: true });
  }

  const again = field => {
    mine = true;
    field.dispatchEvent(new Event('change', { bubbles: true }));
    mine = false;
  };
  for (const field of restored) {
    if (field !== document.activeElement) continue;
    // The browser does not know that this one changed, so it would leave it in silence.
    field.addEventListener('blur', () => again(field), { once: true });
    if (field.type === 'text' || field instanceof HTMLTextAreaElement) field.setSelectionRange(field.value.length, field.value.length);
  }

  // One is enough: what listens sends its whole form.
  const left = restored.filter(field => field !== document.activeElement);
  if (left.length > 0) again(left.at(-1));
});
