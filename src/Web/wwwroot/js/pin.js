// The digits at a locked screen: by the pad, which shows where they go, or by the keyboard. The sixth sends them.
document.addEventListener('click', event => {
  const digit = event.target.closest?.('[data-digit]')?.dataset.digit;
  const input = digit === undefined ? null : document.getElementById('pin');
  if (!input) return;
  input.value = digit === 'clear' ? '' : digit === 'back' ? input.value.slice(0, -1) : (input.value + digit).slice(0, 6);
  input.dispatchEvent(new Event('input', { bubbles: true }));
  input.focus();
});

document.addEventListener('input', event => {
  const input = event.target;
  if (!input.matches?.('[data-pin] input[name=pin]')) return;
  const digits = input.value.replace(/[^0-9]/g, '');
  if (digits !== input.value) input.value = digits;
  input.parentElement.querySelectorAll('.pins i').forEach((dot, at) => dot.classList.toggle('on', at < digits.length));
  if (digits.length === 6) input.form.requestSubmit();
});
