// Keeps what is being written on the server: a form with data-draft is posted there three seconds after a change, when a
// field loses the focus, and before the page locks or goes. Nothing is kept in the browser's storage.
const watched = new WeakMap();

class Draft {
  constructor(form) {
    this.form = form;
    this.sent = this.body();
    this.failedSince = 0;
    this.stale = false;
    form.addEventListener('input', () => this.changed());
    form.addEventListener('change', () => this.changed());
    form.addEventListener('focusout', () => this.save());
    form.addEventListener('submit', () => { this.submitted = true; clearTimeout(this.timer); });
    // The server said no to the form itself: writing goes on, so keeping goes on. What it took is not kept once more.
    form.addEventListener('htmx:afterRequest', event => {
      if (event.target === form && event.detail.requestConfig.headers['X-Whole-Page']) this.submitted = Boolean(event.detail.xhr.getResponseHeader('HX-Redirect'));
    });
  }

  body() {
    return new URLSearchParams(new FormData(this.form)).toString();
  }

  // The text that each state shows; the words of the state itself come from the page.
  show(state, text) {
    const mark = this.form.querySelector('[data-draft-mark]') ?? document.querySelector(`[data-draft-mark][data-for="${CSS.escape(this.form.id)}"]`) ?? document.querySelector('[data-draft-mark]');
    const template = mark?.querySelector(`template[data-state="${state}"]`);
    if (!template) return;
    const view = template.content.cloneNode(true);
    view.querySelector('[data-text]').textContent = text;
    for (const child of [...mark.children]) if (child.tagName !== 'TEMPLATE') child.remove();
    mark.prepend(view);
    mark.dataset.state = state;
  }

  fieldsChanged() {
    const before = new URLSearchParams(this.sent);
    const names = new Set();
    for (const [name, value] of new FormData(this.form)) if (before.get(name) !== value) names.add(name);
    return Math.max(1, names.size);
  }

  changed() {
    if (this.stale || this.body() === this.sent) return;
    if (!this.failedSince) {
      const n = this.fieldsChanged();
      this.show('unsaved', n === 1 ? '1 field' : `${n} fields`);
    }
    this.timer ??= setTimeout(() => this.save(), 3000);
  }

  async save({ leaving = false } = {}) {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.stale || this.submitted || !this.form.isConnected) return;
    // A field that an answer replaces loses the focus while the old one and the new one both stand in the form: what is
    // read then would be every value twice. Only who leaves cannot wait.
    if (!leaving) await undefined;
    // One after the other, so that the newest is the last to arrive.
    while (this.saving && !leaving) await this.saving;
    if (!this.form.isConnected) return;
    const body = this.body();
    if (body === this.sent || this.stale || this.submitted) return;
    const n = this.fieldsChanged();
    if (!this.failedSince) this.show('saving', n === 1 ? '1 field' : `${n} fields`);
    const saving = this.post(body, leaving);
    this.saving = saving;
    await saving;
    if (this.saving === saving) this.saving = undefined;
  }

  async post(body, leaving) {
    try {
      const answer = await fetch(this.form.dataset.draft, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
        credentials: 'same-origin',
        redirect: 'error',
        // The browser refuses a keepalive body over 64 KiB; a longer one goes the ordinary way.
        keepalive: leaving && body.length < 60_000,
        signal: leaving ? undefined : AbortSignal.timeout(15_000),
      });
      if (answer.status === 401) {
        location.reload();
        return;
      }
      if (answer.status === 409) {
        this.stale = true;
        this.show('lost', 'this was changed on another screen; copy what you need and load the page again');
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const { saved } = await answer.json();
      this.sent = body;
      this.failedSince = 0;
      if (this.body() === body) this.show('saved', `${saved}, on the server`);
      else this.changed();
    } catch (error) {
      if (leaving) return;
      this.failedSince ||= performance.now();
      const seconds = Math.round((performance.now() - this.failedSince) / 1000);
      const why = error instanceof TypeError || error.name === 'TimeoutError' ? 'no network' : 'the server refuses';
      this.show('lost', `${why}${seconds > 0 ? ` for ${seconds} s` : ''}; kept on this page, trying again`);
      this.timer ??= setTimeout(() => this.save(), 3000);
    }
  }
}

function watch(within) {
  const forms = [...(within.querySelectorAll?.('form[data-draft]') ?? [])];
  if (within.matches?.('form[data-draft]')) forms.push(within);
  for (const form of forms) {
    if (watched.has(form)) continue;
    const draft = new Draft(form);
    watched.set(form, draft);
    all.add(new WeakRef(draft));
  }
}

const all = new Set();
const living = () => [...all].map(ref => ref.deref()).filter(draft => draft?.form.isConnected);

/** Saves everything that is not saved; used before the page locks. */
export const saveAll = () => Promise.allSettled(living().map(draft => draft.save({ leaving: true })));

/** Ends when no draft of the form is on its way any more. */
export async function settled(form) {
  for (const draft of living().filter(one => one.form === form)) while (draft.saving) await draft.saving;
}

watch(document);
document.addEventListener('htmx:load', event => watch(event.target));
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') saveAll(); });
addEventListener('pagehide', () => { saveAll(); });
addEventListener('beforeunload', event => {
  // Only when the draft truly could not be kept is the person held back.
  if (living().some(draft => draft.failedSince && !draft.submitted)) event.preventDefault();
});
