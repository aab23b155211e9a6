// Ctrl+K: one field over patients, acts and places. The server answers; this opens, empties and closes it.
import './listbox.js';

const dialog = document.getElementById('palette');
if (dialog) {
  const input = dialog.querySelector('input');
  const list = dialog.querySelector('#pal');
  const empty = () => {
    input.value = '';
    list.replaceChildren();
  };
  dialog.addEventListener('mg:open', () => {
    empty();
    input.focus();
    window.htmx?.trigger(input, 'mg:opened');
  });
  // Names that were found do not stay behind a closed dialog.
  dialog.addEventListener('close', empty);
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
  document.addEventListener('mg:lock', () => dialog.close());
}
