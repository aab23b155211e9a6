// Sends every form by a request of the page instead of by navigation. A browser writes the body of a navigation that is
// answered in place, with a mistake in the form or with what was searched for, into the files of its session, where it
// outlives the person who typed it. What such an answer shows replaces the view; a redirect is followed as ever.
import { settled } from './drafts.js';

const page = document.documentElement;

document.addEventListener('submit', async event => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post' || form.hasAttribute('hx-post')) return;
  event.preventDefault();
  // A second press is not a second act, and the page may be about to go: what is sent meanwhile could get lost unseen.
  if ('sending' in page.dataset) return;
  page.dataset.sending = '';
  const { submitter } = event;
  try {
    // The press on the button left a field, which keeps the draft. Were it written while the act takes it away, the act
    // would be refused for a change by somebody else.
    await settled(form);
    await window.htmx.ajax('POST', submitter?.getAttribute('formaction') ?? form.getAttribute('action'), {
      source: form,
      event,
      target: '[data-view]',
      select: '[data-view]',
      swap: 'outerHTML show:window:top',
      headers: { 'X-Whole-Page': '1' },
      values: submitter?.name ? { [submitter.name]: submitter.value } : {},
    });
  } catch {
    // htmx has told live.js of it, which tells the person.
  }
});

// What a changed value leads to can depend on which one it was.
document.addEventListener('htmx:configRequest', ({ detail }) => {
  const { type, target } = detail.triggeringEvent ?? {};
  if (type === 'change' && target.name) detail.headers['X-Changed-Field'] = target.name;
});

document.addEventListener('htmx:afterRequest', ({ detail }) => {
  const leaving = detail.xhr.getResponseHeader('HX-Redirect');
  if (detail.requestConfig.headers['X-Whole-Page'] && !leaving) delete page.dataset.sending;
});

// A page that has no place for failures, such as the sign-in, shows the server's own page about it.
document.addEventListener('htmx:beforeSwap', event => {
  const { detail } = event;
  if (detail.isError && detail.requestConfig.headers['X-Whole-Page'] && !document.querySelector('[data-failures]')) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});
