// A classic script in the head, so that "as the computer" is right before the first paint. Nothing is kept.
(() => {
  const root = document.documentElement;
  if (root.dataset.theme !== 'auto') return;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const set = () => root.setAttribute('data-bs-theme', dark.matches ? 'dark' : 'light');
  set();
  dark.addEventListener('change', set);
})();
