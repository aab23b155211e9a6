// An answer that arrives while a button is held down waits until it is let go. It may hold that very button anew, or move the
// row under the finger: a press whose element is gone by its end is no click, and the act would silently not happen. Leaving
// a field by pressing a button is enough for it, because the field's value is sent at that moment.
const longestPress = 2000;
const held = [];
let pressed = 0;

function release() {
  clearTimeout(pressed);
  pressed = 0;
  for (const answer of held.splice(0)) answer();
}

addEventListener('pointerdown', () => {
  clearTimeout(pressed);
  // The end of a press outside the window may never be told.
  pressed = setTimeout(release, longestPress);
}, true);

// The click comes right after the end of the press; the answers after both.
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => { if (pressed) setTimeout(release); }, true);

document.addEventListener('htmx:beforeSend', ({ detail: { xhr } }) => {
  const answer = xhr.onload;
  xhr.onload = () => {
    if (pressed) held.push(answer);
    else answer();
  };
});
