// Everything here is an extra: pages are complete without it.
(() => {
  'use strict';
  /** @type {(selector: string, within?: ParentNode) => any} */
  const $ = (selector, within = document) => within.querySelector(selector);
  /** @type {(selector: string, within?: ParentNode) => any[]} */
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = $('script[data-root]').dataset.root;
  const html = document.documentElement;

  // Scripts loaded later put their values here: the search index, explorers and their models.
  /** @type {Map<string, any>} */
  const book = new Map();
  Object.assign(window, { book });
  const scripts = new Map();
  function load(src) {
    if (!scripts.has(src))
      scripts.set(
        src,
        new Promise((resolve, reject) => {
          const script = Object.assign(document.createElement('script'), {
            src,
            onload: resolve,
            onerror: () => reject(new Error(`cannot load ${src}`)),
          });
          document.head.append(script);
        }),
      );
    return scripts.get(src);
  }

  /** @type {Promise<unknown>} */
  const loaded = new Promise((resolve) => addEventListener('load', resolve));
  /** When the page has come and nothing else is to be done; then the first screen has been drawn. */
  const idle = () =>
    loaded.then(() => new Promise((next) => (window.requestIdleCallback ?? setTimeout)(next)));

  // Fonts of formulas that are further down come before a reader does.
  idle().then(() => document.fonts.forEach((face) => void face.load().catch(() => {})));

  // Light or dark: the system's choice until the reader makes one.
  $('.mode').onclick = () => {
    const now =
      html.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    html.dataset.theme = now === 'dark' ? 'light' : 'dark';
    try {
      localStorage.theme = html.dataset.theme;
    } catch {
      /* a private window forgets the choice */
    }
  };

  // The error page has a <base>, with which "#main" would leave the page.
  $('.skip').onclick = (event) => {
    event.preventDefault();
    $('#main').focus();
    $('#main').scrollIntoView();
  };

  // The contents, a drawer on small screens.
  const menu = $('.menu');
  const drawer = (open) => {
    document.body.classList.toggle('show-toc', open);
    menu.setAttribute('aria-expanded', String(open));
  };
  menu.onclick = () => drawer(!document.body.classList.contains('show-toc'));
  $('main').addEventListener('click', () => drawer(false));

  // Whatever scrolls sideways can be reached and scrolled with the keyboard. To know what does, a
  // browser lays out all of the page, so this waits for somebody who uses the key.
  const SCROLLING = '.eq-body, .table-wrap, .out-html, .outputs, .plot-scroll, pre';
  /** All is measured before anything is set: else each element would cost a layout of the page. */
  const reachable = () => {
    const measured = $$(SCROLLING).map((el) => [el, el.scrollWidth > el.clientWidth + 1]);
    for (const [el, scrolls] of measured)
      if (scrolls !== el.hasAttribute('tabindex')) {
        if (scrolls) el.tabIndex = 0;
        else el.removeAttribute('tabindex');
      }
  };
  const firstTab = ({ key }) => {
    if (key !== 'Tab') return;
    removeEventListener('keydown', firstTab);
    reachable();
    addEventListener('resize', reachable);
    addEventListener('toggle', reachable, true);
  };
  addEventListener('keydown', firstTab);

  // A figure that is cut off at the screen's edge shows it.
  const more = ({ target: el }) =>
    el.classList.toggle('has-more', el.scrollWidth - el.clientWidth - el.scrollLeft > 2);
  const resized = new ResizeObserver((entries) => entries.forEach(more));
  for (const el of $$('.plot-scroll')) {
    el.addEventListener('scroll', more);
    resized.observe(el);
  }

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  /** @type {(className: string, label: string, words: () => string) => HTMLButtonElement} */
  function copyButton(className, label, words) {
    const button = element('button', { className, type: 'button' }, label);
    button.onclick = async () => {
      await navigator.clipboard.writeText(words());
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = label;
      }, 1500);
    };
    return button;
  }
  for (const pre of $$('.code > pre')) pre.after(copyButton('copy', 'Copy', () => pre.textContent));

  for (const input of $$('.tabs > input'))
    input.onchange = () =>
      $$(`.tabs > input[data-sync="${CSS.escape(input.dataset.sync)}"]`).forEach((other) => {
        other.checked = true;
      });

  // The ledger: which claims are shown; the address keeps it, and each claim can be cited.
  const claims = $$('details.claim');
  const kindOf = (claim) => /\bof-([\w-]+)/.exec(claim.className)?.[1] ?? '';
  const chapterOf = (claim) => /\bin-(\d+)/.exec(claim.className)?.[1] ?? '';
  const counted = (of) => {
    /** @type {Map<string, number>} */
    const found = new Map();
    for (const claim of claims) found.set(of(claim), (found.get(of(claim)) ?? 0) + 1);
    return [...found];
  };
  function ledger() {
    const asked = new URLSearchParams(location.search);
    const wanted = (asked.get('verdict') ?? '').split(',').filter(Boolean);
    const text = element('input', { type: 'search', value: asked.get('q') ?? '' });
    const kinds = counted(kindOf).map(([kind, count]) => {
      const on = wanted.length === 0 || wanted.includes(kind);
      const input = element('input', { type: 'checkbox', checked: on, value: kind });
      const words = `${kind.replaceAll('-', ' ')} (${count})`;
      return [input, element('label', { className: `of-${kind}` }, input, words)];
    });
    const chapters = counted(chapterOf)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([n, count]) => new Option(`${n} (${count})`, n));
    const chapter = element('select', {}, new Option('all', ''), ...chapters);
    chapter.value = asked.get('chapter') ?? '';
    const said = element('output', {});
    const unfold = element('button', { type: 'button' }, 'Unfold all');
    unfold.onclick = () => {
      const open = claims.some((claim) => !claim.hidden && !claim.open);
      for (const claim of claims) claim.open = open && !claim.hidden;
      unfold.textContent = open ? 'Fold all' : 'Unfold all';
    };
    const choose = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = kinds.filter(([input]) => input.checked).map(([input]) => input.value);
      for (const claim of claims) {
        const kind = chosen.includes(kindOf(claim));
        const here = !chapter.value || chapterOf(claim) === chapter.value;
        const content = `${claim.id} ${claim.textContent}`.toLowerCase();
        claim.hidden = !(kind && here && words.every((word) => content.includes(word)));
      }
      said.textContent = `${claims.filter((claim) => !claim.hidden).length} of ${claims.length}`;
      const now = new URLSearchParams();
      if (text.value) now.set('q', text.value);
      if (chosen.length < kinds.length) now.set('verdict', chosen.join(','));
      if (chapter.value) now.set('chapter', chapter.value);
      const address = now.size ? `?${now}` : location.pathname;
      try {
        history.replaceState(null, '', address + location.hash);
      } catch {
        /* a page opened from a folder keeps its address */
      }
    };
    const bar = element(
      'form',
      { className: 'filters' },
      element('label', {}, 'Find ', text),
      element('label', {}, 'Chapter ', chapter),
      ...kinds.map(([, label]) => label),
      unfold,
      said,
    );
    bar.setAttribute('role', 'search');
    bar.setAttribute('aria-label', 'Claims');
    said.setAttribute('aria-live', 'polite');
    bar.oninput = choose;
    bar.onsubmit = (event) => event.preventDefault();
    claims[0].closest('section').before(bar);
    choose();
  }
  /** @param {any} claim */
  function citable(claim) {
    const page = $('link[rel=canonical]')?.href ?? location.href.split('#')[0];
    const url = `${page}#${claim.id}`;
    const statement = $('summary', claim).textContent.trim().replace(/\s+/g, ' ');
    const date = new Date().toISOString().slice(0, 10);
    const words = `nickbook, claim ${claim.id}: “${statement}” ${url} (read ${date}).`;
    const buttons = [
      copyButton('plain', 'Copy link', () => url),
      copyButton('plain', 'Cite this claim', () => words),
    ];
    claim.append(element('p', {}, buttons[0], ' ', buttons[1]));
  }
  if (claims.length) {
    ledger();
    addEventListener(
      'toggle',
      ({ target }) => {
        if (target instanceof HTMLDetailsElement && target.matches('.claim') && target.open)
          if (!$('button.plain', target)) citable(target);
      },
      true,
    );
  }

  // A link into a closed box opens it; printing opens all but folded code and claims.
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    for (let el = id && document.getElementById(id); el; el = el.parentElement)
      if (el instanceof HTMLDetailsElement) {
        el.open = true;
        el.hidden = false;
      }
  }
  addEventListener('hashchange', reveal);
  reveal();

  // What a link leads to stays in its place while figures above it change their heights.
  /** @type {Element | null} */
  let pinned = null;
  let unpinning;
  const unpin = () => {
    pinned = null;
  };
  function pin() {
    clearTimeout(unpinning);
    pinned = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    unpinning = setTimeout(unpin, 6000);
  }
  const hold = () => pinned?.scrollIntoView({ behavior: 'instant' });
  addEventListener('hashchange', pin);
  for (const type of ['wheel', 'touchstart', 'pointerdown', 'keydown'])
    addEventListener(type, unpin, { passive: true });
  new ResizeObserver(hold).observe($('article'));
  pin();
  addEventListener('beforeprint', () =>
    $$('article details:not(.fold, .claim)').forEach((el) => {
      el.open = true;
    }),
  );

  // The outline marks the section being read.
  const marks = new Map(
    $$('.outline a').map((a) => [document.getElementById(decodeURIComponent(a.hash.slice(1))), a]),
  );
  function markSection() {
    const headings = [...marks.keys()].filter((el) => el !== null);
    const passed = (el) => el.getBoundingClientRect().top <= innerHeight * 0.3;
    // Where a section begins is known before what is in it has been laid out.
    const current = headings.findLast((el) => passed(el.closest('.section') ?? el) && passed(el));
    marks.forEach((a, heading) => {
      if (heading === current) a.setAttribute('aria-current', 'true');
      else a.removeAttribute('aria-current');
    });
  }
  addEventListener('scroll', markSection, { passive: true }); // once a frame
  requestAnimationFrame(markSection);

  // Hover cards: what a reference, citation, footnote or abbreviation points at, on any page.
  // Cards of other pages come in scripts, which a page opened from a disk may load.
  const here = location.href.split('#')[0].split('?')[0];
  const top = new URL(root || '.', here).href;
  async function elsewhere(url, id) {
    const name = `cards/${url.slice(top.length).replace(/\.html$/, '.js')}`;
    await load(root + name);
    const { body } = new DOMParser().parseFromString(book.get(name)?.[id] ?? '', 'text/html');
    for (const el of $$('[src], [href]', body))
      for (const name of ['src', 'href'])
        if (el.hasAttribute(name)) el.setAttribute(name, new URL(el.getAttribute(name), url));
    return [...body.children];
  }
  function onThisPage(id) {
    const target = document.getElementById(id);
    const alone = !/^(H\d|DT)$/.test(target?.tagName ?? '');
    const found = alone ? [target] : [target, target?.nextElementSibling];
    return found.filter((el) => el !== null && el !== undefined).map((el) => el.cloneNode(true));
  }
  async function preview(link) {
    if (link.title || link.dataset.title)
      return [document.createTextNode(link.dataset.title ?? link.title)];
    const [url, fragment] = link.href.split('#');
    if (!fragment) return [];
    const id = decodeURIComponent(fragment);
    /** @type {any[]} */
    const content = url === here ? onThisPage(id) : await elsewhere(url, id);
    for (const copy of content) {
      for (const x of [copy, ...$$('[id]', copy)]) x.removeAttribute('id');
      for (const x of $$('.anchor, .copy, .explorer :is(input, button)', copy)) x.remove();
      if (copy.tagName === 'DETAILS') copy.open = true;
    }
    return content;
  }
  let card, timer;
  const close = () => {
    clearTimeout(timer);
    card?.remove();
    card = undefined;
    $('[aria-describedby="hover-card"]')?.removeAttribute('aria-describedby');
  };
  const closeSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(close, 200);
  };
  async function show(link) {
    const content = await preview(link);
    if (content.length === 0 || !link.matches(':hover, :focus')) return;
    close();
    card = element('div', { className: 'hover-card', id: 'hover-card' }, ...content);
    card.setAttribute('role', 'tooltip');
    link.setAttribute('aria-describedby', card.id);
    document.body.append(card);
    // A page has the styles of its own formulas; the site's own rules stand after all of KaTeX's.
    if (!$('link[href$="katex.min.css"]') && $('.katex', card))
      document.head.prepend(
        Object.assign(document.createElement('link'), {
          rel: 'stylesheet',
          href: `${root}katex/katex.min.css`,
        }),
      );
    const box = link.getBoundingClientRect();
    const above =
      box.bottom + card.offsetHeight + 8 > innerHeight && box.top > card.offsetHeight + 8;
    card.style.top = `${scrollY + (above ? box.top - card.offsetHeight - 6 : box.bottom + 6)}px`;
    card.style.left = `${Math.max(8, Math.min(box.left, html.clientWidth - card.offsetWidth - 8)) + scrollX}px`;
    card.onmouseenter = () => clearTimeout(timer);
    card.onmouseleave = closeSoon;
  }
  const later = (link) => {
    clearTimeout(timer);
    timer = setTimeout(() => show(link).catch(() => {}), 250);
  };
  for (const link of $$('a.xref, a.cite, .fn a, article abbr')) {
    if (link.tagName === 'ABBR')
      link.addEventListener('click', () => show(link)); // touch screens show no title
    else for (const type of ['mouseenter', 'focus']) link.addEventListener(type, () => later(link));
    for (const type of ['mouseleave', 'blur']) link.addEventListener(type, closeSoon);
  }
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      close();
      drawer(false);
    }
  });

  // Search: in titles and text, with prefixes, small misspellings and words for the same thing.
  const dialog = $('dialog.search'),
    field = $('input', dialog),
    list = $('ol', dialog);
  const GREEK = Object.fromEntries(
    (
      'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho ' +
      'sigma_ sigma tau upsilon phi chi psi omega'
    )
      .split(' ')
      .map((name, i) => [String.fromCharCode(0x3b1 + i), name.replace('_', '')]),
  );
  /** Letters that many write differently: γ and gamma, La₃Ni₂O₇ and La3Ni2O7, T_c and Tc. */
  const folded = (text) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/\p{M}/gu, '')
      .replace(/(?<=(?<!\p{L})\p{L})_(?=[\p{L}\p{N}]{1,3}(?![\p{L}\p{N}_]))/gu, '')
      .replace(/±|\+-|\+\/-/g, 'pm ')
      .replace(/[α-ω]/g, (letter) => ` ${GREEK[letter]} `);
  const terms = (text) =>
    folded(text)
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean);
  const UNASKED = new Set(
    'a an and by can do for how i in is it of on the this to what'.split(' '),
  );
  /** @type {any} */
  let index;
  function indexed() {
    if (index) return index;
    const { records, synonyms } = book.get('search');
    const { MiniSearch } = /** @type {any} */ (window);
    const mini = new MiniSearch({
      fields: ['title', 'trail', 'text'],
      tokenize: terms,
      processTerm: (term) => (UNASKED.has(term) ? null : term),
    });
    mini.addAll(
      records.map(([, trail, text], id) => ({
        id,
        title: trail.at(-1),
        trail: trail.slice(0, -1).join(' '),
        text,
      })),
    );
    const groups = synonyms.map((group) => group.map((words) => terms(words).join(' ')));
    index = { mini, records, groups };
    return index;
  }
  async function openSearch() {
    dialog.showModal();
    field.select();
    try {
      await Promise.all([load(`${root}minisearch.js`), load(`${root}search.js`)]);
      indexed();
      field.oninput(); // for what was typed meanwhile
    } catch (error) {
      console.error(error);
      list.replaceChildren(element('li', {}, 'The search could not be loaded.'));
    }
  }
  $('.search-open').onclick = openSearch;
  addEventListener('keydown', (event) => {
    const asked = event.key === '/' || (event.key === 'k' && (event.ctrlKey || event.metaKey));
    const { target } = event;
    if (!asked || (target instanceof Element && target.matches('input, textarea, select'))) return;
    event.preventDefault();
    openSearch();
  });
  /** A query, and the same with one of its words replaced by another for the same thing. */
  function phrasings(query, groups) {
    const asked = ` ${terms(query).join(' ')} `;
    const others = groups.flatMap((group) =>
      group
        .filter((words) => asked.includes(` ${words} `))
        .flatMap((words) => group.map((other) => asked.replace(` ${words} `, ` ${other} `))),
    );
    return [asked, ...new Set(others.filter((other) => other !== asked))];
  }
  function find(query) {
    const { mini, records, groups } = indexed();
    const options = {
      boost: { title: 6, trail: 2 },
      prefix: (term) => term.length > 1,
      fuzzy: (term) => (term.length > 4 && !/\d/.test(term) ? 0.2 : false),
      boostDocument: (id) => records[id][3],
      combineWith: 'AND',
    };
    const found = new Map();
    const title = terms(query).join(' ');
    const collect = (asked, share, more = {}) => {
      for (const { id, score, terms: matched } of mini.search(asked, { ...options, ...more })) {
        const exact = terms(records[id][1].at(-1)).join(' ') === title ? 5 : 1;
        const known = found.get(id);
        if (!known || known.score < score * share * exact)
          found.set(id, { id, score: score * share * exact, matched });
      }
    };
    phrasings(query, groups).forEach((asked, i) => collect(asked, i ? 0.5 : 1));
    if (found.size === 0) collect(query, 1, { combineWith: 'OR' });
    // Of one page, no more than a few.
    const shown = new Map();
    return [...found.values()]
      .sort((a, b) => b.score - a.score)
      .filter(({ id }) => {
        const [page] = records[id][0].split('#');
        shown.set(page, (shown.get(page) ?? 0) + 1);
        return shown.get(page) <= 4;
      })
      .slice(0, 12)
      .map(({ id, matched }) => ({ record: records[id], matched: new Set(matched) }));
  }
  const ROOM = 150; // letters
  /** The place in a text where it speaks of what was found, with its words marked. */
  function excerpt(text, matched) {
    const pieces = [...text.matchAll(/\S+/g)].map(({ 0: word, index: at }) => ({
      word,
      at,
      hit: terms(word).some((term) => matched.has(term)),
    }));
    const first = pieces.find(({ hit }) => hit)?.at ?? 0;
    const start = first < ROOM / 2 ? 0 : first - ROOM / 3;
    const near = pieces.filter(({ at }) => at >= start && at < start + ROOM);
    const words = near.flatMap(({ word, hit }) => [hit ? element('mark', {}, word) : word, ' ']);
    if (near.length && near[0] !== pieces[0]) words.unshift('… ');
    if (near.at(-1) !== pieces.at(-1)) words.push('…');
    return element('span', {}, ...words);
  }
  function result({ record: [url, trail, text], matched }) {
    const title = element('b', {}, trail.join(' › '));
    return element('li', {}, element('a', { href: root + url }, title, excerpt(text, matched)));
  }
  field.oninput = () => {
    const asked = field.value.trim();
    if (!asked) return list.replaceChildren();
    if (!book.has('search') || !('MiniSearch' in window))
      return list.replaceChildren(element('li', {}, 'Loading …'));
    const hits = find(asked).map(result);
    return list.replaceChildren(...(hits.length ? hits : [element('li', {}, 'Nothing found.')]));
  };
  dialog.addEventListener('keydown', (event) => {
    const links = $$('a', list),
      step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter' && event.target === field && links.length) {
      event.preventDefault();
      links[0].click();
    }
    if (!step || links.length === 0) return;
    event.preventDefault();
    (links[links.indexOf(document.activeElement) + step] ?? field).focus();
  });
  list.onclick = (event) => {
    if (event.target.closest('a')) dialog.close();
  };

  // Explorers: anywidget modules without a kernel, loaded when they come near the screen, in steps
  // between which the page answers its reader.
  class Model {
    #listeners = [];
    constructor(state) {
      this.state = state;
    }
    get(key) {
      return this.state[key];
    }
    set(key, value) {
      if (this.state[key] === value) return;
      this.state[key] = value;
      for (const [name, listener] of [...this.#listeners])
        if (name === `change:${key}` || name === 'change') listener(value);
    }
    on(name, listener) {
      this.#listeners.push([name, listener]);
    }
    off(name, listener) {
      this.#listeners = this.#listeners.filter(
        ([n, f]) => !((!name || n === name) && (!listener || f === listener)),
      );
    }
    save_changes() {}
  }
  async function start(box) {
    await idle();
    await Promise.all(box.dataset.scripts.split(' ').map(load));
    await idle();
    const module = await import(
      `data:text/javascript;charset=utf-8,${encodeURIComponent(book.get(box.dataset.esm))}`
    );
    const state = { ...structuredClone(book.get(box.dataset.model)), linked: true };
    const widget = typeof module.default === 'function' ? await module.default() : module.default;
    await idle();
    const model = new Model(state),
      el = document.createElement('div');
    await widget.initialize?.({ model });
    await widget.render({ model, el });
    $('.fallback', box).replaceWith(el);
  }
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        start(target).catch((error) => {
          console.error(error);
          $('.fallback', target).append(
            Object.assign(document.createElement('p'), {
              textContent: 'The sliders of this figure could not be loaded.',
            }),
          );
        });
      }
    },
    { rootMargin: '300px' },
  );
  $$('.explorer').forEach((box) => near.observe(box));
})();
