// A person at a browser, as far as plain HTTP goes: keeps cookies, follows redirects, fills in the
// login page, allows what the consent page asks, confirms a logout, answers a device. Runs no
// scripts.

/** A browser whose home is the issuer: what leads elsewhere ends the journey. */
export class FormFiller {
  #origin;
  #cookies = new Map();

  constructor(issuer, { username, password, denies = false }) {
    this.#origin = new URL(issuer).origin;
    this.username = username;
    this.password = password;
    this.answer = denies ? 'device-deny' : 'device-allow';
  }

  /** Follows `url` to a URL of another origin; or returns the last page, if that is the end. */
  async travel(url) {
    let response = await this.#send(url);
    for (let step = 0; step < 12; step += 1) {
      if (response.status >= 300 && response.status < 400) {
        const target = new URL(response.headers.get('location'), response.url);
        if (target.origin !== this.#origin) return { away: target };
        response = await this.#send(target);
        continue;
      }
      const page = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} at ${response.url}: ${page}`);
      const form = this.#fillIn(page);
      if (!form) return { page };
      const body = new URLSearchParams(form.fields);
      response = await this.#send(new URL(form.action, response.url), { method: 'POST', body });
    }
    throw new Error('the redirects never end');
  }

  /** What a person would send from this page; undefined if there is nothing to do on it. */
  #fillIn(page) {
    const press = (form, id) => form.buttons.find((button) => button.id === id);
    for (const form of forms(page)) {
      if (form.fields.some(([name]) => name === 'password')) {
        const typed = { username: this.username, password: this.password };
        form.fields = form.fields.map(([name, value]) => [name, typed[name] ?? value]);
        return form;
      }
      const button =
        press(form, 'consent-allow') ??
        press(form, 'logout-confirm') ??
        press(form, 'device-submit') ??
        press(form, this.answer);
      if (button) {
        if (button.name) form.fields.push([button.name, button.value ?? '']);
        return form;
      }
    }
    return undefined;
  }

  async #send(url, options = {}) {
    const { pathname } = new URL(url);
    const sent = [...this.#cookies.values()].filter(({ path }) => pathname.startsWith(path));
    const response = await fetch(url, {
      ...options,
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: sent.map(({ pair }) => pair).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair, ...attributes] = cookie.split(/;\s*/);
      const path = attributes.find((text) => /^path=/i.test(text))?.slice(5) ?? '/';
      const [name, value] = pair.split(/=(.*)/s);
      if (value) this.#cookies.set(`${name} ${path}`, { pair, path });
      else this.#cookies.delete(`${name} ${path}`);
    }
    return response;
  }
}

/** The forms of a well-formed page: where each goes, its fields, and its buttons. */
function forms(page) {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, form, content]) => ({
    action: attributes(form).action ?? '',
    fields: [...content.matchAll(/<input\b([^>]*)>/gi)]
      .map(([, input]) => attributes(input))
      .filter(({ name, type, checked }) => name && (type !== 'checkbox' || checked !== undefined))
      .map(({ name, value }) => [name, value ?? '']),
    buttons: [...content.matchAll(/<button\b([^>]*)>/gi)].map(([, button]) => attributes(button)),
  }));
}

function attributes(tag) {
  const found = tag.matchAll(/([a-z][a-z-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/gi);
  return Object.fromEntries(
    [...found].map(([, name, double, single, bare]) => [name, decode(double ?? single ?? bare ?? '')]),
  );
}

function decode(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return named[name] ?? all;
  });
}
