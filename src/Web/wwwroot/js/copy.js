// The age of a read-only copy grows while a page stands open. Counted from what the server said, because this machine's
// clock may be wrong. The words are those of CopyStrip.
const age = document.querySelector('[data-age]');
const counted = (count, unit) => `${count} ${unit}${count === 1 ? '' : 's'} ago`;

function say() {
  const minutes = (Number(age.dataset.age) + performance.now() / 1000) / 60;
  const words = minutes < 1 ? 'less than a minute ago'
    : minutes < 90 ? counted(Math.floor(minutes), 'minute')
      : minutes < 36 * 60 ? counted(Math.floor(minutes / 60), 'hour')
        : counted(Math.floor(minutes / 1440), 'day');
  if (age.textContent !== words) age.textContent = words;
}

if (age) setInterval(say, 10000);
