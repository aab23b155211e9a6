// A classic script in the head, before every other: it makes "as the computer" right before the first paint, and it takes
// the browser's storage away. Nothing is kept here, also not by htmx, which would note the last address in it.
(() => {
  const none = { configurable: false, get() { throw new DOMException('Nothing is kept in this browser.', 'SecurityError'); } };
  Object.defineProperty(window, 'localStorage', none);
  Object.defineProperty(window, 'sessionStorage', none);
  const root = document.documentElement;
  if (root.dataset.theme !== 'auto') return;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const set = () => root.setAttribute('data-bs-theme', dark.matches ? 'dark' : 'light');
  set();
  dark.addEventListener('change', set);
})();
