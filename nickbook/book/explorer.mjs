// The front end of nickbook's explorers, an anywidget module without imports.
// With a kernel, Python answers each setting with a drawing; on a page, a table holds the drawings.

const NOT_A_NUMBER = 65535;
const CURVE_STEPS = 65534;
const IMAGE_STEPS = 254;
const DASHES = { solid: '', dashed: '7 4', dotted: '1.5 3.5' };

/**
 * What `nickbook.book.drawing` and `explore` send. In a table numbers are steps until `inUnits`.
 * @typedef {[number, number]} Limits
 * @typedef {[number, string][]} Ticks
 * @typedef {{name: string, x: ArrayLike<number>, y: ArrayLike<number>, z: ArrayLike<number> | null,
 *   color: string, dash: 'solid' | 'dashed' | 'dotted', points: boolean, moves: string[],
 *   link: string}} Curve
 * @typedef {{values: ArrayLike<number>, shape: [number, number], x_limits: Limits,
 *   y_limits: Limits, limits: Limits, colors: string[], label: string}} Image
 * @typedef {{title: string, x_label: string, y_label: string, x_limits: Limits, y_limits: Limits,
 *   x_log: boolean, y_log: boolean, x_ticks: Ticks, y_ticks: Ticks, equal: boolean,
 *   curves: Curve[], images: Image[], vertical: number[], horizontal: number[], drag: string[],
 *   z_limits: Limits | null, z_label: string, view: [number, number]}} Panel
 * @typedef {{panels: Panel[], readouts: [string, string][], error?: string}} Drawing
 * @typedef {{name: string, label: string, kind: string, value: any, values: any[], unit: string,
 *   format: string, stepsOnly?: boolean, nearest?: boolean}} Control
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 * @typedef {Record<string, any>} Settings
 * @typedef {Pick<Curve, 'name' | 'color' | 'dash' | 'points'>} Key
 * @typedef {{title: string, curves: Key[]}} Head
 * @typedef {{label: string, alt: string, width: number, height: number, columns: number,
 *   ghost: boolean, controls: Control[], heads: Head[], readouts: [string, string][],
 *   presets: [string, Settings][],
 *   formulas: [panel: number, curve: number, Formula][]}} Spec
 * @typedef {(names: string[], values: number[]) => void} Steer
 * @typedef {[[name: string, node: any][], given: Record<string, (number | null)[]>]} Formula lines, each a
 *   name with a number, another name, or an operation and its arguments; and a number a point
 * @typedef {[curve: Curve, index: number]} Spot
 * @typedef {(view: View, spot?: Spot) => void} Point
 */

const STYLE = `
.nb-explorer { container-type: inline-size; text-align: left;
  color: var(--jp-content-font-color1, inherit); font-size: .92rem; line-height: 1.4; }
.nb-panels { position: relative; display: grid; gap: .75rem 1rem;
  grid-template-columns: repeat(var(--nb-columns), minmax(0, 1fr)); }
.nb-panel { display: flex; flex-direction: column; }
.nb-head { flex: 1; display: flex; flex-wrap: wrap; gap: 0 1rem; align-content: end;
  min-height: 1.4em; padding-left: 3rem; }
.nb-key { display: inline-flex; align-items: center; gap: .35rem; }
.nb-key svg { width: 1.6rem; height: .6rem; }
.nb-explorer svg { display: block; max-width: none; }
.nb-plot { width: 100%; aspect-ratio: var(--nb-ratio); max-height: var(--nb-height);
  min-height: min(220px, var(--nb-height)); }
.nb-drag { cursor: crosshair; touch-action: none; user-select: none; }
.nb-along { cursor: crosshair; touch-action: pan-y; user-select: none; }
.nb-box { cursor: grab; touch-action: pan-y; user-select: none; }
.nb-box:active { cursor: grabbing; }
.nb-ghost { opacity: .4; }
.nb-explorer :is(sub, sup) { line-height: 0; }
.nb-status { display: grid; margin: .25rem 0; }
.nb-status > * { grid-area: 1 / 1; margin: 0; }
.nb-readouts { display: flex; flex-wrap: wrap; gap: 0 1.25rem; min-height: 1.4em;
  font-variant-numeric: tabular-nums; }
.nb-row { display: flex; flex-wrap: wrap; gap: .5rem; margin: .5rem 0; }
.nb-controls { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: end;
  padding: .25rem 0; }
.nb-control { flex: 1 1 10rem; min-width: 0; display: grid; grid-template-columns: 1fr auto;
  row-gap: .15rem; }
.nb-control :is(input, select) { grid-column: 1 / 3; width: 100%; height: 1.75rem; margin: 0;
  box-sizing: border-box; font: inherit; color: inherit; background: transparent; }
.nb-control option { color: CanvasText; background: Canvas; }
.nb-explorer button { box-sizing: border-box; font: inherit; color: inherit; background: none; cursor: pointer;
  border: 1px solid currentColor; border-radius: 6px; padding: .15rem .6rem; }
.nb-explorer button[aria-pressed=true] { box-shadow: inset 0 0 0 2px currentColor; }
.nb-message { padding: .25rem .75rem; border-left: 3px solid #cf3f2e; }
.nb-message.nb-wait { border-color: currentColor; }
.nb-message[hidden] { display: none; }
.nb-panels.nb-old { opacity: .25; }
.nb-readouts.nb-old { visibility: hidden; }
@container (max-width: 34rem) {
  .nb-panels { grid-template-columns: minmax(0, 1fr); }
  .nb-controls { position: sticky; bottom: 0; z-index: 1;
    background: var(--bg, var(--jp-layout-color1, Canvas)); border-top: 1px solid #7a7a7a55; }
  .nb-control { flex-basis: 8rem; }
}
.nb-still > :not(.nb-panels), .nb-still .nb-head { visibility: hidden; }
.nb-still .nb-picture { position: absolute; inset: 0; text-align: center; }
.nb-still .nb-picture img { width: 100%; height: 100%; object-fit: contain; object-position: top; }
@media print {
  .nb-still > :not(.nb-panels), .nb-still .nb-panel { display: none; }
  .nb-still .nb-panels { display: block; }
  .nb-still .nb-picture { position: static; }
  .nb-still .nb-picture img { height: auto; }
}
@media (scripting: none) { .nb-still > :not(.nb-panels) { display: none; } }`;

// --- the table ---------------------------------------------------------------------------------

/**
 * Stored settings, as numbers of which the last control counts fastest, and their weights.
 * @typedef {[number, number][]} Corners
 */

/**
 * Unpack a table; the result gives the mean of some of its drawings.
 * @param {string} base64
 * @returns {Promise<(corners: Corners) => Drawing>}
 */
export async function decode(base64) {
  if (typeof DecompressionStream === 'undefined') {
    throw new Error(
      'This browser is too old for interactive figures: it cannot unpack their table.',
    );
  }
  const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const start = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const pool = unshuffle(bytes.subarray(start), head.lengths);
  const rows = head.rows.map((row) => {
    let sum = 0;
    return row.map((d) => {
      sum += d;
      return sum;
    });
  });
  const holes = [...head.arrayHoles, ...head.scalarHoles];
  /** @type {(point: number) => Drawing} */
  const stored = (point) => {
    const drawing = JSON.parse(JSON.stringify(head.template));
    holes.forEach((path, i) => {
      const parent = path.slice(0, -1).reduce((node, key) => node[key], drawing);
      parent[path.at(-1)] = (i < head.arrayHoles.length ? pool : head.scalars)[rows[i][point]];
    });
    return drawing;
  };
  return (corners) =>
    inUnits(
      mean(
        corners.map(([point]) => stored(point)),
        corners.map(([, weight]) => weight),
      ),
    );
}

/**
 * The stored settings round a place, which counts the values of each control.
 * @type {(places: number[], controls: Control[]) => Corners}
 */
export function cornersOf(places, controls) {
  return places.reduce(
    (corners, place, i) => {
      const size = controls[i].values.length;
      const at = controls[i].nearest ? Math.round(place) : place;
      const left = Math.floor(at + 1e-9);
      const rest = Math.max(0, at - left);
      return corners.flatMap(([point, weight]) =>
        [1 - rest, rest].flatMap((share, side) =>
          share < 1e-9
            ? []
            : [/** @type {[number, number]} */ ([point * size + left + side, weight * share])],
        ),
      );
    },
    /** @type {Corners} */ ([[0, 1]]),
  );
}

/** What must agree for two panels to be averaged, or laid on each other. @type {(panel: Panel) => string} */
const limitsOf = (panel) =>
  JSON.stringify([
    ...[panel.x_limits, panel.x_log, panel.y_limits, panel.y_log, panel.z_limits],
    ...panel.images.map(({ limits }) => limits),
  ]);

/**
 * The mean of stored drawings. What cannot be averaged is that of the heaviest, of the last of
 * these; `table.error_midway` in Python does the same to two drawings.
 * @type {(drawings: Drawing[], weights: number[]) => Drawing}
 */
function mean(drawings, weights) {
  const heaviest = weights.reduce((best, w, i) => (w >= weights[best] - 1e-9 ? i : best), 0);
  const main = drawings[heaviest];
  if (drawings.length === 1 || drawings.some(({ error }) => error)) return main;
  /** @type {(arrays: any[]) => any} */
  const average = (arrays) => {
    const first = arrays[heaviest];
    if (arrays.some((a) => a.length !== first.length)) return first;
    if (arrays.every((a) => a === first)) return first;
    return Array.from(first, (number, i) =>
      arrays.some((a) => a[i] === NOT_A_NUMBER)
        ? number
        : arrays.reduce((sum, a, which) => sum + weights[which] * a[i], 0),
    );
  };
  const panels = main.panels.map((panel, p) => {
    const all = drawings.map((drawing) => drawing.panels[p]);
    if (all.some((other) => limitsOf(other) !== limitsOf(panel))) return panel;
    const curves = panel.curves.map((curve, c) => {
      const of = (axis) => average(all.map((other) => other.curves[c][axis]));
      return { ...curve, x: of('x'), y: of('y'), z: curve.z && of('z') };
    });
    const images = panel.images.map((image, i) => ({
      ...image,
      values: average(all.map((other) => other.images[i].values)),
    }));
    const [vertical, horizontal] = ['vertical', 'horizontal'].map((name) =>
      average(all.map((other) => other[name])),
    );
    return { ...panel, curves, images, vertical, horizontal };
  });
  const readouts = main.readouts.map(([name, text], r) => [
    name,
    meanText(
      drawings.map((drawing) => drawing.readouts[r][1]),
      weights,
    ) ?? text,
  ]);
  return { ...main, panels, readouts: /** @type {[string, string][]} */ (readouts) };
}

/**
 * The mean of texts that differ in their numbers alone, written without exponents; or else nothing.
 * @type {(texts: string[], weights: number[]) => string | null}
 */
export function meanText(texts, weights) {
  if (texts.some((text) => /\de[-+]?\d|\^/.test(text))) return null;
  const parts = texts.map((text) => text.split(/([-−]?\d+(?:\.\d+)?)/));
  const words = parts.map((all) => all.filter((_, i) => i % 2 === 0).join('\n'));
  if (words.some((text) => text !== words[0])) return null;
  const mean = parts[0].map((word, i) => {
    if (i % 2 === 0) return word;
    const digits = Math.max(...parts.map((all) => all[i].split('.')[1]?.length ?? 0));
    const numbers = parts.map((all) => Number(all[i].replace('−', '-')));
    const sum = numbers.reduce((total, number, n) => total + weights[n] * number, 0);
    return format(sum, `.${digits}f`);
  });
  return mean.join('');
}

/** @type {(bytes: Uint8Array, lengths: number[]) => Uint16Array[]} */
function unshuffle(bytes, lengths) {
  const high = bytes.length / 2;
  let [at, previous] = [0, new Uint16Array(0)];
  return lengths.map((length) => {
    const base = previous.length === length ? previous : new Uint16Array(length);
    let [change, slope] = [0, 0];
    previous = base.map((start) => {
      const word = bytes[at] + 256 * bytes[high + at++];
      slope += (word >> 1) ^ -(word & 1);
      change += slope;
      return start + change; // a Uint16Array keeps it modulo 65536
    });
    return previous;
  });
}

/** @type {(drawing: Drawing) => Drawing} */
function inUnits(drawing) {
  for (const panel of drawing.panels) {
    for (const curve of panel.curves) {
      curve.x = fromSteps(curve.x, panel.x_limits, panel.x_log, CURVE_STEPS);
      curve.y = fromSteps(curve.y, panel.y_limits, panel.y_log, CURVE_STEPS);
      if (curve.z && panel.z_limits)
        curve.z = fromSteps(curve.z, panel.z_limits, false, CURVE_STEPS);
    }
    for (const image of panel.images)
      image.values = fromSteps(image.values, image.limits, false, IMAGE_STEPS);
  }
  return drawing;
}

/** @type {(steps: ArrayLike<number>, limits: Limits, log: boolean, count: number) => Float64Array} */
const fromSteps = (steps, limits, log, count) =>
  Float64Array.from(steps, (step) =>
    step === NOT_A_NUMBER ? NaN : part(limits, log, step / count),
  );

/** The number at a part of an axis. @type {(limits: Limits, log: boolean, at: number) => number} */
const part = ([low, high], log, at) => (log ? low * (high / low) ** at : low + (high - low) * at);

/** Arrays from the kernel come as binary views beside the JSON. */
function unpack(node) {
  if (node instanceof DataView)
    return new Float64Array(node.buffer.slice(node.byteOffset, node.byteOffset + node.byteLength));
  if (Array.isArray(node)) return node.map(unpack);
  if (node && typeof node === 'object')
    return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, unpack(v)]));
  return node;
}

// --- curves in closed form -----------------------------------------------------------------------

/** What a node of a formula is at one point. @type {(node: any, known: any, i: number) => number} */
function value(node, known, i) {
  if (typeof node === 'number') return node;
  if (typeof node === 'string') return known[node][i] ?? known[node];
  const [a, b] = node.slice(1).map((part) => value(part, known, i));
  const plain = { '+': a + b, '-': a - b, '*': a * b, '/': a / b };
  return plain[node[0]] ?? Math[node[0]](a, b);
}

/** Work out x and y. @type {(formula: Formula, settings: Settings) => Pick<Curve, 'x' | 'y'>} */
export function pointsOf([lines, given], settings) {
  /** @type {any} */
  const known = { ...settings };
  for (const [name, numbers] of Object.entries(given))
    known[name] = Float64Array.from(numbers, (number) => number ?? NaN);
  const [some] = Object.values(given);
  for (const [name, node] of lines)
    known[name] = Float64Array.from(some, (_, i) => value(node, known, i));
  return { x: known.x, y: known.y };
}

// --- text and elements -------------------------------------------------------------------------

/** JupyterLab takes the arrow keys for itself unless the element that has the focus says this. */
const KEYS = { 'data-lm-suppress-shortcuts': 'true' };
const uid = () => `nb-${Math.random().toString(36).slice(2)}`;
/** @type {(text: string) => string} */
const minus = (text) => text.replace(/-(?=[\d.])/g, '−');

/** @returns {any} the element that the tag names */
function make(namespace, tag, attributes = {}, ...children) {
  const node = document.createElementNS(namespace, tag);
  set(node, attributes).append(...children);
  return node;
}
/** @type {(node: any, attributes: Record<string, any>) => any} */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
const h = (tag, attributes, ...children) =>
  make('http://www.w3.org/1999/xhtml', tag, attributes, ...children);
const s = (tag, attributes, ...children) =>
  make('http://www.w3.org/2000/svg', tag, attributes, ...children);

/** Text with _{…} and ^{…} as pairs of a kind and a piece. @type {(text: string) => string[][]} */
const pieces = (text) =>
  text
    .split(/([_^]\{[^}]*\})/)
    .filter(Boolean)
    .map((piece) => {
      const script = /^([_^])\{(.*)\}$/.exec(piece);
      return script ? [script[1], script[2]] : ['', piece];
    });
const plain = (text) =>
  pieces(text)
    .map(([, piece]) => piece)
    .join('');
const esc = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
/** The same in HTML. @type {(text: string) => string} */
const rich = (text) =>
  pieces(text)
    .map(([kind, piece]) => {
      const tag = { _: 'sub', '^': 'sup' }[kind];
      return tag ? `<${tag}>${esc(piece)}</${tag}>` : esc(piece);
    })
    .join('');

/** @type {(x: number, y: number, text: string, attributes?: object) => SVGTextElement} */
function label(x, y, text, attributes = {}) {
  const node = s('text', { x, y, 'text-anchor': 'middle', ...attributes });
  let back = 0;
  for (const [kind, piece] of pieces(text)) {
    const shift = kind && (kind === '_' ? 3 : -4);
    node.append(
      s('tspan', { dy: (shift || 0) - back, ...(kind && { 'font-size': '75%' }) }, piece),
    );
    back = shift || 0;
  }
  return node;
}

/** @type {(value: number, spec: string) => string} */
export function format(value, spec) {
  const digits = Number(spec[1]);
  const write = {
    f: () => value.toFixed(digits),
    e: () => value.toExponential(digits),
    g: () => String(Number(value.toPrecision(digits || 1))),
  };
  const text = write[spec[2]]();
  return minus(Number(text) === 0 ? text.replace('-', '') : text);
}

// --- the layout --------------------------------------------------------------------------------

/** Title and legend of a panel. @type {(head: Head) => string} */
function heading({ title, curves }) {
  const named = new Map(curves.filter((c) => c.name).map((c) => [c.name, c]));
  const keys = [...named.values()].map((c) => {
    const attributes = { d: c.points ? 'M13 5h0' : 'M0 5H26', ...stroke(c) };
    const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
    const sample = `<svg viewBox="0 0 26 10"><path ${written.join(' ')}/></svg>`;
    return `<span class="nb-key">${sample}<span>${rich(c.name)}</span></span>`;
  });
  return `${title && `<strong>${rich(title)}</strong>`}${keys.join('')}`;
}

/** @type {(readouts: [string, string][], sign: string) => string} */
const readoutsOf = (readouts, sign) =>
  readouts
    .map(([name, value]) => `<span>${rich(name)} ${sign} ${esc(minus(value))}</span>`)
    .join('');

/** @type {(control: Control) => string} */
function controlOf({ kind, name, label: text, values }) {
  const options = values.map(
    (v) => `<option value="${esc(String(v))}">${esc(plain(String(v)))}</option>`,
  );
  const input =
    kind === 'choice'
      ? `<select name="${esc(name)}">${options.join('')}</select>`
      : `<output aria-live="off"></output><input type="range" min="0" name="${esc(name)}">`;
  return `<div class="nb-control"><label>${rich(text)}</label>${input}</div>`;
}

/**
 * The HTML in which an explorer works, or, with a picture, what keeps its place until then.
 * @type {(spec: Spec, linked: boolean, picture?: string) => string}
 */
export function layout(spec, linked, picture) {
  const { width, height, columns, heads, readouts, presets, controls } = spec;
  const size = `--nb-columns: ${columns}; --nb-ratio: ${width / columns} / ${height}; --nb-height: ${height}px`;
  const panel = (head) =>
    `<div class="nb-panel"><div class="nb-head">${heading(head)}</div><div class="nb-plot"></div></div>`;
  const button = (text, attributes) => `<button type="button" ${attributes}>${text}</button>`;
  const offers = presets.map(([name]) =>
    button(rich(name), 'class="nb-preset" aria-pressed="false"'),
  );
  const copies = ['nb-link', 'nb-python'].slice(linked ? 0 : 1);
  const words = { 'nb-link': 'Copy link', 'nb-python': 'Copy as Python' };
  return `<div class="nb-explorer${picture ? ' nb-still' : ''}" style="${size}"><style>${STYLE}</style>
<div class="nb-panels">${heads.map(panel).join('')}${picture ? `<div class="nb-picture">${picture}</div>` : ''}</div>
<div class="nb-status"><div class="nb-readouts" role="status" aria-live="polite">${readoutsOf(readouts, '=')}</div>
<p class="nb-message" role="alert" hidden></p></div>
${offers.length ? `<div class="nb-row" role="group" aria-label="Settings">${offers.join('')}</div>` : ''}
<div class="nb-controls">${controls.map(controlOf).join('')}</div>
<div class="nb-row">${button('Reset', 'class="nb-reset"')}${copies
    .map((name) => button(words[name], `class="${name}" aria-live="polite"`))
    .join('')}</div></div>`;
}

// --- panels ------------------------------------------------------------------------------------

/**
 * Round places for ticks between two limits, with their labels.
 * @type {(limits: Limits, log: boolean, room: number) => Ticks}
 */
export function ticks([low, high], log, room) {
  if (log) {
    const decades = Math.log10(high / low);
    const steps = decades > 2 ? [1] : [1, 2, 5];
    const powers = low < 1e-3 || high > 1e4;
    const every = Math.max(1, Math.ceil((decades * steps.length) / room));
    const places = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e += every) {
      places.push(...steps.map((m) => Number(`${m}e${e}`)));
    }
    return places
      .filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9))
      .map((v) => [v, powers ? number(v, 0, 1e9) : minus(String(v))]);
  }
  const rough = (high - low) / room;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].map((m) => m * power).find((v) => v >= rough * (1 - 1e-9)) ?? 10 * power;
  const places = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    places.push(i * step);
  return places.map((v) => [v, number(v, step, Math.max(Math.abs(low), Math.abs(high)))]);
}

/** @type {(value: number, step: number, largest: number) => string} */
function number(value, step, largest) {
  if (Math.abs(value) < 1e-9 * step) return '0';
  if (largest >= 1e5 || Math.max(Math.abs(value), step) < 1e-3) {
    const [mantissa, exponent] = value.toExponential(step ? 1 : 0).split('e');
    return minus(
      `${mantissa.replace(/\.0$/, '')}·10^{${Number(exponent)}}`.replace(/^(-?)1·/, '$1'),
    ).replace('{-', '{−');
  }
  return minus(value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}

/**
 * Places on the screen for the numbers on an axis.
 * @type {(limits: Limits, log: boolean, from: number, to: number) => (v: number) => number}
 */
function axis([low, high], log, from, to) {
  if (log) return (v) => from + (Math.log(v / low) / Math.log(high / low)) * (to - from);
  return (v) => from + ((v - low) / (high - low)) * (to - from);
}

/** How far the sliders move a curve. @type {(curve: Curve, settings: Settings) => number[]} */
const shift = ({ moves }, settings) =>
  moves.length ? moves.map((name) => Number(settings[name])) : [0, 0];

/**
 * @type {(curve: Curve, settings: Settings, X: (v: number) => number, Y: (v: number) => number) =>
 *   string}
 */
function path(curve, settings, X, Y) {
  const [right, up] = shift(curve, settings);
  let [d, pen] = ['', 'M'];
  for (let i = 0; i < curve.x.length; i++) {
    const [x, y] = [X(curve.x[i] + right), Y(curve.y[i] + up)];
    if (Number.isFinite(x + y)) {
      d += `${pen}${x.toFixed(2)} ${y.toFixed(2)}${curve.points ? 'h0' : ''}`;
      pen = curve.points ? 'M' : 'L';
    } else pen = 'M';
  }
  return d;
}

/**
 * A little of the text's colour is mixed in, for more contrast on light and dark pages alike.
 * @type {(curve: Key) => object}
 */
const stroke = ({ color, dash, points }) => ({
  fill: 'none',
  stroke: color || 'currentColor',
  style: color && `stroke: color-mix(in oklab, ${color} 85%, currentColor)`,
  'stroke-width': points ? 5 : 2,
  'stroke-linejoin': 'round',
  'stroke-linecap': points ? 'round' : 'butt',
  'stroke-dasharray': points ? '' : DASHES[dash],
});

/** A heat map as the address of a small picture. @type {(image: Image) => string} */
function picture({ values, shape: [rows, columns], limits: [low, high], colors }) {
  const canvas = h('canvas', { width: columns, height: rows });
  const context = canvas.getContext('2d');
  const data = context.createImageData(columns, rows);
  const anchors = colors.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  Array.from(values).forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const place = Math.min(1, Math.max(0, (value - low) / (high - low))) * (anchors.length - 1);
    const left = Math.min(Math.floor(place), anchors.length - 2);
    const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
    for (let c = 0; c < 3; c++)
      data.data[at + c] =
        anchors[left][c] + (place - left) * (anchors[left + 1][c] - anchors[left][c]);
    data.data[at + 3] = 255;
  });
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

/** @type {(curve: Curve) => Spot[]} */
const spotsOf = (curve) => Array.from(curve.x, (_, i) => [curve, i]);

/** What panels have in common: a head, a picture, and a mark where the reader points. */
class View {
  /** @type {Panel | undefined} */
  panel;
  /** @type {Settings} */
  settings = {};
  /** @type {SVGElement} */
  probe = s('g', { 'pointer-events': 'none', fill: 'currentColor' });
  /** @type {(x: number, y: number, z: number) => number[]} */
  at = () => [NaN, NaN];
  size = [1, 1];
  edge = 0;
  /** @type {Spot[]} */
  marked = [];

  /** @type {(spec: Spec, point: Point) => void} */
  constructor(spec, point) {
    this.spec = spec;
    this.point = point;
    this.head = h('div', { class: 'nb-head' });
    this.svg = s('svg', { class: 'nb-plot', 'font-size': 13, 'font-family': 'inherit', ...KEYS });
    this.svg.addEventListener('pointerdown', (event) => {
      if (event.button === 0) {
        this.svg.setPointerCapture(event.pointerId);
        this.pull(event);
      }
      this.tell(event);
    });
    this.svg.addEventListener('pointermove', (event) => {
      if (this.svg.hasPointerCapture(event.pointerId)) this.pull(event);
      this.tell(event);
    });
    this.svg.addEventListener('pointerleave', ({ pointerType }) => {
      if (pointerType === 'mouse') this.point(this);
    });
    this.svg.addEventListener('keydown', (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (!way[event.key]) return;
      event.preventDefault();
      this.step(way[event.key]);
    });
    this.el = h('div', { class: 'nb-panel' }, this.head, this.svg);
  }

  /** Take what is to be drawn. @type {(panel: Panel, settings: Settings) => void} */
  take(panel, settings) {
    [this.panel, this.settings] = [panel, settings];
    const { width, height } = this.svg.getBoundingClientRect();
    const { spec } = this;
    this.size = [Math.round(width || spec.width / spec.columns), Math.round(height || spec.height)];
    if (panel.z_limits || !panel.curves.some((curve) => curve.link)) return;
    this.svg.classList.add('nb-along');
    const words = `${plain(panel.title)}: point with the arrow keys`;
    set(this.svg, { role: 'slider', tabindex: 0, 'aria-label': words, 'aria-valuenow': 0 });
  }

  /** Where an event is in the units of the picture. @param {PointerEvent} event */
  place({ clientX, clientY }) {
    const { left, top, width } = this.svg.getBoundingClientRect();
    const scale = this.size[0] / width;
    return [(clientX - left) * scale, (clientY - top) * scale];
  }

  /** The numbers of a point. @param {Spot} spot */
  numbers([curve, i]) {
    const [right, up] = shift(curve, this.settings);
    return /** @type {[number, number, number]} */ ([
      curve.x[i] + right,
      curve.y[i] + up,
      curve.z ? curve.z[i] : 0,
    ]);
  }

  /** Point at the nearest point of the nearest curve. @param {PointerEvent} event */
  tell(event) {
    const [u, v] = this.place(event);
    /** @type {Spot | undefined} */
    let best;
    let least = Infinity;
    for (const curve of this.panel?.curves ?? []) {
      // A box has nothing to read but what it shares with other panels.
      if (this.panel?.z_limits && !curve.link) continue;
      for (let i = 0; i < curve.x.length; i++) {
        const [x, y] = this.at(...this.numbers([curve, i]));
        const distance = Math.hypot(x - u, y - v) - (curve.link ? 8 : 0); // it has more to tell
        if (distance < least) [least, best] = [distance, [curve, i]];
      }
    }
    this.point(this, best);
  }

  /** Whether a point is seen. @type {(spot: Spot) => boolean} */
  sees = (spot) => this.at(...this.numbers(spot)).every(Number.isFinite);

  /** Go along the curves that have links, or to the same place of the next one. */
  step([along, across]) {
    const [old, index = 0] = this.marked[0] ?? [];
    const linked = this.panel?.curves.filter((curve) => curve.link) ?? [];
    const ring = linked
      .flatMap(spotsOf)
      .filter((spot) => (along || spot[1] === index) && this.sees(spot));
    const here = ring.findIndex(([curve, i]) => curve === old && i === index);
    this.point(this, ring.at((here + along + across) % ring.length));
  }

  /** Show points, and the numbers of the first. @param {Spot[]} spots */
  mark(spots) {
    this.marked = spots.filter(this.sees);
    const [first] = this.marked;
    const { panel } = this;
    if (!panel || !first) return this.probe.replaceChildren();
    const numbers = this.numbers(first);
    const said = ['x', 'y', ...(panel.z_limits ? ['z'] : [])]
      .map((axis, i) =>
        quantity(numbers[i], panel[`${axis}_label`], panel[`${axis}_limits`], panel[`${axis}_log`]),
      )
      .slice(named(panel.x_ticks) ? 0 : 1)
      .join(', ');
    const text = `${first[0].name && `${first[0].name}: `}${said}`;
    this.probe.replaceChildren(
      ...this.marked.map((spot) => {
        const [cx, cy] = this.at(...this.numbers(spot));
        return s('circle', { cx, cy, r: 5, 'fill-opacity': 0.15, stroke: 'currentColor' });
      }),
      label(this.edge, 11, text, {
        'text-anchor': 'end',
        'font-size': Math.min(12, (1.8 * this.edge) / plain(text).length),
      }),
    );
    if (this.svg.getAttribute('role') === 'slider')
      set(this.svg, { 'aria-valuenow': first[1], 'aria-valuetext': plain(text) });
  }

  /** @param {PointerEvent} _event */
  pull(_event) {}
}

/** One panel: its frame is rebuilt only when limits, labels or size change, its curves are moved. */
class PanelView extends View {
  /** @type {(v: number) => number} */
  X = Number;
  /** @type {(v: number) => number} */
  Y = Number;
  /** @type {SVGElement[]} */
  images = [];
  /** @type {SVGElement[]} */
  curves = [];
  /** @type {SVGElement[]} */
  ghosts = [];
  /** @type {Image[]} */
  pictures = [];
  key = '';
  /** @type {Box} */
  box = { left: 0, right: 1, top: 0, bottom: 1 };
  /** @type {(x: number, y: number) => number[]} */
  at = (x, y) => [this.X(x), this.Y(y)];

  /** @type {(spec: Spec, point: Point, steer: Steer) => void} */
  constructor(spec, point, steer) {
    super(spec, point);
    this.steer = steer;
  }

  /**
   * Draw a panel, and faintly what it showed at the start.
   * @type {(panel: Panel, settings: Settings, start?: {panel: Panel, settings: Settings}) => void}
   */
  draw(panel, settings, start) {
    this.take(panel, settings);
    const key = JSON.stringify([this.size, panel], (_, value) =>
      ArrayBuffer.isView(value) ? undefined : value,
    );
    if (key !== this.key) this.frame(panel, this.size);
    this.key = key;
    panel.images.forEach((image, i) => {
      const old = this.pictures[i]?.values;
      const same = old?.length === image.values.length;
      if (same && Array.prototype.every.call(old, (v, at) => Object.is(v, image.values[at])))
        return;
      this.images[i].setAttribute('href', picture(image));
      this.pictures[i] = image;
    });
    panel.curves.forEach((curve, i) => {
      this.curves[i].setAttribute('d', path(curve, settings, this.X, this.Y));
    });
    const ghosts = start && limitsOf(start.panel) === limitsOf(panel) ? start.panel.curves : [];
    this.ghosts.forEach((ghost, i) => {
      const d = start && ghosts[i] ? path(ghosts[i], start.settings, this.X, this.Y) : '';
      ghost.setAttribute('d', d);
    });
  }

  /** @param {PointerEvent} event */
  pull(event) {
    const [{ panel, box }, [u, v]] = [this, this.place(event)];
    if (!panel?.drag.length) return;
    const x = part(panel.x_limits, panel.x_log, (u - box.left) / (box.right - box.left));
    const y = part(panel.y_limits, panel.y_log, (box.bottom - v) / (box.bottom - box.top));
    this.steer(panel.drag, [x, y]);
  }

  /** @type {(panel: Panel, size: number[]) => void} */
  frame(panel, [width, height]) {
    this.head.innerHTML = heading(panel);
    const yTicks = panel.y_ticks.length
      ? panel.y_ticks
      : ticks(panel.y_limits, panel.y_log, height / 60);
    const widest = Math.max(...yTicks.map(([, text]) => plain(text).length));
    const box = {
      left: 30 + 7.5 * widest,
      right: width - (panel.images.length ? 84 : 14),
      top: 20,
      bottom: height - 46,
    };
    if (panel.equal) this.equalize(box, panel);
    this.X = axis(panel.x_limits, panel.x_log, box.left, box.right);
    this.Y = axis(panel.y_limits, panel.y_log, box.bottom, box.top);
    const xTicks = panel.x_ticks.length
      ? panel.x_ticks
      : ticks(panel.x_limits, panel.x_log, (box.right - box.left) / 60);
    this.svg.classList.toggle('nb-drag', panel.drag.length > 0);
    [this.box, this.edge, this.pictures] = [box, box.right, []];
    const [clip, w, hh] = [uid(), box.right - box.left, box.bottom - box.top];
    this.images = panel.images.map(({ x_limits: x, y_limits: y }) =>
      s('image', {
        x: this.X(x[0]),
        y: this.Y(y[1]),
        width: this.X(x[1]) - this.X(x[0]),
        height: this.Y(y[0]) - this.Y(y[1]),
        preserveAspectRatio: 'none',
        style: 'image-rendering: pixelated',
      }),
    );
    this.curves = panel.curves.map((curve) => s('path', stroke(curve)));
    this.ghosts = panel.images.length
      ? []
      : panel.curves.map((c) => s('path', { ...stroke(c), 'stroke-width': c.points ? 3 : 1 }));
    const grid = [
      ...panel.vertical.map((x) => `M${this.X(x)} ${box.top}V${box.bottom}`),
      ...panel.horizontal.map((y) => `M${box.left} ${this.Y(y)}H${box.right}`),
    ];
    const faint = [
      ...xTicks.map(([x]) => `M${this.X(x)} ${box.top}V${box.bottom}`),
      ...yTicks.map(([y]) => `M${box.left} ${this.Y(y)}H${box.right}`),
    ];
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.replaceChildren(
      s(
        'clipPath',
        { id: clip },
        s('rect', { x: box.left - 1, y: box.top - 1, width: w + 2, height: hh + 2 }),
      ),
      ...(this.images.length
        ? []
        : [s('path', { d: faint.join(''), stroke: 'currentColor', opacity: 0.12 })]),
      s(
        'g',
        { 'clip-path': `url(#${clip})` },
        ...this.images,
        s('path', { d: grid.join(''), stroke: '#7a7a7a' }),
        s('g', { class: 'nb-ghost' }, ...this.ghosts),
        ...this.curves,
      ),
      s('rect', {
        x: box.left,
        y: box.top,
        width: w,
        height: hh,
        fill: 'none',
        stroke: 'currentColor',
        opacity: 0.6,
      }),
      s(
        'g',
        { fill: 'currentColor' },
        ...xTicks.map(([x, text]) => label(this.X(x), box.bottom + 17, text)),
        ...yTicks.map(([y, text]) =>
          label(box.left - 6, this.Y(y) + 4.5, text, { 'text-anchor': 'end' }),
        ),
        label((box.left + box.right) / 2, box.bottom + 38, panel.x_label),
        upright(box.left - 7.5 * widest - 14, (box.top + box.bottom) / 2, panel.y_label),
        ...panel.images.slice(0, 1).flatMap((image) => colorBar(image, box)),
        this.probe,
      ),
    );
  }

  /** @type {(box: Box, panel: Panel) => void} */
  equalize(box, { x_limits: x, y_limits: y }) {
    const unit = Math.min(
      (box.right - box.left) / (x[1] - x[0]),
      (box.bottom - box.top) / (y[1] - y[0]),
    );
    const spare = box.right - box.left - unit * (x[1] - x[0]);
    box.left += spare / 2;
    box.right -= spare / 2;
    box.bottom = box.top + unit * (y[1] - y[0]);
  }
}

/** Whether numbers along an axis mean something: its ticks are not names of momenta. */
const named = (ticks) => ticks.length === 0 || ticks.some(([, text]) => /[\dπ]/.test(text));

/** @type {(value: number, label: string, limits: Limits, log: boolean) => string} */
function quantity(value, text, [low, high], log) {
  const [, name, unit] = /^(.*?)(?: \(([^()]*)\))?$/.exec(text) ?? [];
  const written = log
    ? format(value, '.3g')
    : number(value, (high - low) / 1000, Math.max(Math.abs(low), Math.abs(high)));
  return `${name && `${name} = `}${written}${unit ? ` ${unit}` : ''}`;
}

const upright = (x, y, text) =>
  label(0, 0, text, { transform: `translate(${x} ${y}) rotate(-90)` });

/** @type {(image: Image, box: Box) => Element[]} */
function colorBar({ limits, colors, label: text }, { right, top, bottom }) {
  const id = uid();
  const Y = axis(limits, false, bottom, top);
  return [
    s(
      'linearGradient',
      { id, x1: 0, x2: 0, y1: 1, y2: 0 },
      ...colors.map((c, i) => s('stop', { offset: i / (colors.length - 1), 'stop-color': c })),
    ),
    s('rect', { x: right + 8, y: top, width: 12, height: bottom - top, fill: `url(#${id})` }),
    ...ticks(limits, false, (bottom - top) / 60).map(([v, t]) =>
      label(right + 24, Y(v) + 4.5, t, { 'text-anchor': 'start' }),
    ),
    upright(right + 76, (top + bottom) / 2, text),
  ];
}

// A box of unit edges, the room it needs in any view, the layers that show its depth, and how far
// outside the names of its axes stand; all the same in drawing.py.
const [BOX_EXTENT, DEPTHS, NAME_DISTANCE] = [0.9, 4, 0.1];

/**
 * How a panel with three axes is seen from far away: the place to the right, the place upwards and
 * the nearness to the eye, each zero in the middle of the box and in units of its longest edge.
 * @type {(panel: Panel, view: [number, number]) => (point: number[]) => number[]}
 */
export function projection({ x_limits, y_limits, z_limits, equal }, view) {
  const limits = [x_limits, y_limits, z_limits ?? [0, 1]];
  const lengths = limits.map(([low, high]) => high - low);
  if (equal) lengths[0] = lengths[1] = Math.max(lengths[0], lengths[1]);
  const [azimuth, elevation] = view.map((degrees) => (degrees * Math.PI) / 180);
  const [ca, sa, ce, se] = [azimuth, elevation].flatMap((a) => [Math.cos(a), Math.sin(a)]);
  return (point) => {
    const [x, y, z] = point.map((v, i) => (v - (limits[i][0] + limits[i][1]) / 2) / lengths[i]);
    const outward = ca * x + sa * y;
    return [ca * y - sa * x, ce * z - se * outward, ce * outward + se * z];
  };
}

/** The edges of a box: the axis along which each runs, and its two ends. @param {Panel} panel */
function edges({ x_limits, y_limits, z_limits }) {
  const limits = [x_limits, y_limits, z_limits ?? [0, 1]];
  return limits.flatMap((ends, axis) => {
    const [one, two] = limits.toSpliced(axis, 1);
    return one.flatMap((a) =>
      two.map((b) => ({ axis, ends: ends.map((end) => [a, b].toSpliced(axis, 0, end)) })),
    );
  });
}

/** A panel with three axes: a box that the reader turns. */
class BoxView extends View {
  /** @type {[number, number]} */
  view = [0, 0];
  from = [0, 0];

  /** @type {(spec: Spec, point: Point) => void} */
  constructor(spec, point) {
    super(spec, point);
    set(this.svg, { class: 'nb-plot nb-box', tabindex: 0, role: 'application' });
  }

  /** @param {number[]} way */
  step([right, up]) {
    this.turn([-5 * right, -5 * up]);
  }

  /** @param {PointerEvent} event */
  pull({ type, clientX, clientY }) {
    if (type === 'pointermove')
      this.turn([(this.from[0] - clientX) / 2, (clientY - this.from[1]) / 2]);
    this.from = [clientX, clientY];
  }

  /** @param {number[]} degrees */
  turn([azimuth, elevation]) {
    this.view = [this.view[0] + azimuth, Math.max(-90, Math.min(90, this.view[1] + elevation))];
    if (this.panel) this.draw(this.panel, this.settings);
  }

  reset() {
    this.view = this.panel?.view ?? this.view;
    this.turn([0, 0]);
  }

  /** @type {(panel: Panel, settings: Settings) => void} */
  draw(panel, settings) {
    if (!this.panel) this.view = panel.view;
    this.take(panel, settings);
    const [width, height] = this.size;
    const unit = Math.min(width, height) / (2 * BOX_EXTENT);
    const seen = projection(panel, this.view);
    /** @type {(seen: number[]) => number[]} */
    const place = ([right, up]) => [width / 2 + unit * right, height / 2 - unit * up];
    [this.at, this.edge] = [(...point) => place(seen(point)), width - 14];
    const write = (points) =>
      points.map((p) =>
        place(p)
          .map((v) => v.toFixed(2))
          .join(' '),
      );
    const frame = edges(panel).map(({ axis, ends }) => ({ axis, ends: ends.map(seen) }));
    // The name of an axis stands at its lowest edge, that of the height at the leftmost.
    const names = [panel.x_label, panel.y_label, panel.z_label].map((text, axis) => {
      const [right, up] = frame
        .filter((edge) => edge.axis === axis)
        .map(({ ends: [a, b] }) => a.map((v, i) => (v + b[i]) / 2))
        .reduce((best, next) => {
          const along = axis === 2 ? 0 : 1;
          return next[along] < best[along] - 1e-9 ? next : best;
        });
      const out = 1 + NAME_DISTANCE / Math.hypot(right, up);
      const [x, y] = place([right * out, up * out]);
      return label(x, y + 4.5, text, { fill: 'currentColor' });
    });
    const pieces = panel.curves.map((curve) => this.pieces(curve, seen));
    const layers = Array.from({ length: DEPTHS }, (_, layer) =>
      panel.curves.map((curve, i) => {
        const lines = pieces[i].filter((piece) => piece.layer === layer);
        const dot = curve.points ? 'h0' : '';
        const d = lines.map(({ points }) => `M${write(points).join('L')}${dot}`).join('');
        return s('path', {
          ...stroke(curve),
          d,
          opacity: (layer + 1) / DEPTHS,
        });
      }),
    ).flat();
    this.head.innerHTML = heading(panel);
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.setAttribute('aria-label', `${plain(panel.title)}: turn it with the arrow keys`);
    const outline = frame.map(({ ends }) => `M${write(ends).join('L')}`).join('');
    this.svg.replaceChildren(
      s('path', { d: outline, stroke: 'currentColor', opacity: 0.5, fill: 'none' }),
      ...layers,
      ...names,
      this.probe,
    );
    this.mark(this.marked);
  }

  /**
   * Segments of a line, or points, with the layers of depth in which they lie.
   * @type {(curve: Curve, seen: (point: number[]) => number[]) =>
   *   {layer: number, points: number[][]}[]}
   */
  pieces(curve, seen) {
    const all = Array.from(curve.x, (_, i) => seen(this.numbers([curve, i])));
    const parts = curve.points ? all.map((p) => [p]) : all.slice(1).map((p, i) => [all[i], p]);
    return parts
      .filter((points) => points.flat().every(Number.isFinite))
      .map((points) => {
        const near = points.reduce((sum, p) => sum + p[2], 0) / points.length;
        const layer = Math.floor(((near / BOX_EXTENT + 1) / 2) * DEPTHS);
        return { points, layer: Math.max(0, Math.min(DEPTHS - 1, layer)) };
      });
  }
}

// --- controls ----------------------------------------------------------------------------------

const STEPS = 200; // of a slider that moves between its values
const MAGNET = 0.012; // of its length, within which it stops at one of them

/**
 * A slider's place counts its values, and lies between two of them unless it has steps only.
 * @type {(el: any, control: Control, live: boolean, changed: () => void) => any}
 */
function slider(el, control, live, changed) {
  const { values, unit, stepsOnly } = control;
  const last = values.length - 1;
  const [input, output] = ['input', 'output'].map((tag) => el.querySelector(tag));
  input.max = last;
  input.step = stepsOnly ? 1 : 1 / Math.ceil(STEPS / last);
  let value = control.value; // the input rounds what is written into it
  const place = () => {
    const right = Math.max(
      1,
      values.findIndex((v) => v >= value),
    );
    return right - 1 + (value - values[right - 1]) / (values[right] - values[right - 1]);
  };
  const show = () => {
    output.textContent = `${format(value, control.format)}${unit && ` ${unit}`}`;
    input.setAttribute('aria-valuetext', output.textContent);
  };
  const write = (next) => {
    value = Math.max(values[0], Math.min(values[last], next));
    if (stepsOnly) value = values[Math.round(place())];
    input.value = place();
    show();
  };
  const move = (to) => {
    const left = Math.max(0, Math.min(Math.floor(to), last - 1));
    const part = Math.min(1, Math.max(0, to - left));
    write(part === 1 ? values[left + 1] : values[left] + part * (values[left + 1] - values[left]));
    changed();
  };
  input.addEventListener('input', () => {
    const [at, nearest] = [Number(input.value), Math.round(input.value)];
    const reach = live ? 1e-9 : Math.min(MAGNET * last, 0.2);
    move(Math.abs(at - nearest) < reach ? nearest : at);
  });
  // On a page the arrow keys go from one stored setting to the next, with Shift to what lies between.
  input.addEventListener('keydown', (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (live || !way) return;
    event.preventDefault();
    const at = place();
    const next = way > 0 ? Math.floor(at + 1e-6) + 1 : Math.ceil(at - 1e-6) - 1;
    move(
      event.shiftKey && !stepsOnly ? at + (way * last) / STEPS : Math.min(last, Math.max(0, next)),
    );
  });
  return { input, output, read: () => value, write, place };
}

/** @type {typeof slider} */
function choice(el, control, _live, changed) {
  const input = el.querySelector('select');
  input.addEventListener('change', changed);
  return {
    input,
    output: undefined,
    read: () => input.value,
    write: (v) => {
      input.value = v;
    },
    place: () => control.values.indexOf(input.value),
  };
}

// --- taking a setting along ----------------------------------------------------------------------

/** A number as short as it can be. @param {any} value */
const short = (value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);

/** The line that makes a setting in Python. @type {(settings: Settings) => string} */
export const python = (settings) =>
  `figure.set(${Object.entries(settings)
    .map(([name, value]) => `${name}=${JSON.stringify(short(value))}`)
    .join(', ')})`;

/** This address, with what an explorer's settings are where they are not those of its start. */
function addressOf({ label: figure, controls }, settings) {
  const url = new URL(location.href);
  for (const { name, value } of controls) {
    const key = `${figure}.${name}`;
    url.searchParams.delete(key);
    if (settings[name] !== value) url.searchParams.set(key, String(short(settings[name])));
  }
  return url;
}

/** The settings that the address of this page asks for. @type {(spec: Spec) => Settings} */
function asked({ label: figure, controls }) {
  const given = new URLSearchParams(location.search);
  const found = controls.map(({ name, kind, values, value }) => {
    const text = given.get(`${figure}.${name}`);
    if (text === null) return [name, value];
    if (kind === 'choice') return [name, values.includes(text) ? text : value];
    return [name, text.trim() && Number.isFinite(Number(text)) ? Number(text) : value];
  });
  return Object.fromEntries(found);
}

/** @type {(button: HTMLButtonElement, text: string) => Promise<void>} */
async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = h('textarea', { style: 'position: fixed; opacity: 0' });
    field.value = text;
    button.after(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    button.focus();
  }
  const words = button.textContent;
  if (words === 'Copied') return;
  button.style.minWidth = `${button.getBoundingClientRect().width}px`;
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = words;
  }, 1500);
}

// --- the widget --------------------------------------------------------------------------------

const PATIENCE = 300; // ms after which a reader is told that there is no answer yet
const LOST = 'The kernel that drew this has stopped: start the kernel again and run this cell.';

/** @param {{model: any, el: any}} widget */
async function render({ model, el }) {
  /** @type {Spec} */
  const spec = model.get('spec');
  const packed = model.get('table');
  const linked = Boolean(model.get('linked')); // its page has an address of its own
  const holder = h('div');
  holder.innerHTML = layout(spec, linked);
  el.append(...holder.childNodes);
  const find = (name) => el.querySelector(`.nb-${name}`);
  const [panels, readouts, message] = ['panels', 'readouts', 'message'].map(find);
  const controls = [...el.querySelectorAll('.nb-control')].map((box, i) => {
    const control = spec.controls[i];
    const made = (control.kind === 'choice' ? choice : slider)(box, control, !packed, () =>
      changed(),
    );
    made.input.id = box.querySelector('label').htmlFor = uid();
    made.output?.setAttribute('for', made.input.id);
    set(made.input, KEYS);
    return made;
  });
  const presets = [...el.querySelectorAll('.nb-preset')];

  /** @type {(PanelView | BoxView)[]} */
  let views = [];
  /** @type {Drawing | undefined} */
  let drawing;
  /** @type {Drawing | undefined} */
  let first; // at the start
  /** @type {((corners: Corners) => Drawing) | undefined} */
  let drawingAt;
  const complain = (text, waiting = false) => {
    message.hidden = !text;
    message.classList.toggle('nb-wait', waiting);
    // The curves and readouts are then those of another setting.
    for (const old of [panels, readouts]) old.classList.toggle('nb-old', Boolean(text));
    if (message.textContent !== text) message.textContent = text;
  };
  /** @type {{link: string, index?: number, size: number} | undefined} */
  let pointed; // on a curve that has a link
  /** The points of a panel that are at the same place. @type {(view: View) => Spot[]} */
  const twins = ({ panel }) =>
    (panel?.curves ?? []).flatMap((curve) => {
      if (curve.link !== pointed?.link) return [];
      const { index = 0, size } = pointed;
      const turn = Math.min(curve.x.length, size) - 1;
      return spotsOf(curve).filter(([, i]) =>
        curve.x.length === size ? i === index : (i - index) % turn === 0,
      );
    });
  /** @type {Point} */
  const point = (from, spot) => {
    const [curve, index] = spot ?? [];
    pointed = curve?.link ? { link: curve.link, index, size: curve.x.length } : undefined;
    for (const view of views) {
      const own = view === from && spot ? [spot] : [];
      const others = twins(view).filter(([c, i]) => !own.length || c !== curve || i !== index);
      view.mark([...own, ...others]);
    }
  };
  /** Work out the curves in closed form. @type {(shown: Drawing, now: Settings) => void} */
  const close = ({ panels }, now) => {
    for (const [p, c, formula] of spec.formulas)
      Object.assign(panels[p].curves[c], pointsOf(formula, now));
  };
  const redraw = () => {
    if (!drawing) return;
    const now = settings();
    const moved = spec.ghost && first && !same(now, start);
    close(drawing, now);
    if (first) close(first, start);
    drawing.panels.forEach((panel, i) => {
      const ghost = moved && first?.panels[i];
      views[i].draw(panel, now, ghost ? { panel: ghost, settings: start } : undefined);
      views[i].mark(twins(views[i]));
    });
  };
  /** @param {Drawing} next */
  const show = (next) => {
    complain(next.error ?? model.get('error') ?? '');
    if (next.error) return;
    drawing = next;
    if (views.length !== drawing.panels.length) {
      views = drawing.panels.map((panel) =>
        panel.z_limits ? new BoxView(spec, point) : new PanelView(spec, point, steer),
      );
      // What a picture contains cannot have the focus.
      const touched = drawing.panels.some((p) => p.z_limits || p.curves.some((c) => c.link));
      panels.setAttribute('role', touched ? 'group' : 'img');
      panels.replaceChildren(...views.map((view) => view.el));
    }
    redraw();
    readouts.innerHTML = readoutsOf(drawing.readouts, between() ? '≈' : '=');
    // Longer texts make room that shorter ones leave alone, so that the controls stay put.
    readouts.style.minHeight = `${readouts.getBoundingClientRect().height}px`;
    const said = [...readouts.children].map((text) => text.textContent);
    panels.setAttribute('aria-label', [spec.alt, ...said].join(' '));
  };
  const between = () =>
    packed && controls.some((c) => Math.abs(c.place() - Math.round(c.place())) > 1e-6);
  const write = (values) => {
    controls.forEach((control, i) => {
      control.write(values[spec.controls[i].name]);
    });
  };
  const settings = () =>
    Object.fromEntries(controls.map((c, i) => [spec.controls[i].name, c.read()]));
  /** @type {Steer} */
  const steer = (names, values) => {
    names.forEach((name, i) => {
      controls[spec.controls.findIndex((control) => control.name === name)].write(values[i]);
    });
    changed();
  };

  const start = Object.fromEntries(spec.controls.map((control) => [control.name, control.value]));
  const same = (a, b) => spec.controls.every(({ name }) => a[name] === b[name]);
  const press = () => {
    const now = settings();
    presets.forEach((button, i) => {
      button.setAttribute('aria-pressed', String(same(now, spec.presets[i][1])));
    });
  };

  // Talk with the kernel.
  /** @type {any} */
  let inner; // the model behind `model`: it knows whether its kernel is there
  /** @type {string[]} */
  let sent = []; // what this view set, down to the answer that is still to come
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      complain('computing…', true);
      look();
    }, PATIENCE);
  };
  // A kernel that computes answers this later; one that restarted unseen does not know the widget.
  const look = async () => {
    const kernel = model.widget_manager?.kernel;
    const reply = await kernel?.requestCommInfo?.({ target_name: 'jupyter.widget' });
    if (inner && reply?.content.comms && !(inner.model_id in reply.content.comms)) lose();
  };
  const ask = () => {
    const values = settings();
    if (same(values, model.get('values'))) return;
    sent.push(JSON.stringify(values));
    model.set('values', values);
    model.save_changes();
    if (inner?.comm_live === false || model.widget_manager?.kernel === null) lose();
    else wait();
  };
  const hear = () => {
    if (same(model.get('answered'), start)) first = unpack(model.get('drawing'));
    show(unpack(model.get('drawing')));
    if (!same(model.get('answered'), model.get('values'))) return wait(); // while one drags
    clearTimeout(timer);
    sent = sent.slice(-1);
  };
  const lose = () => {
    clearTimeout(timer);
    complain(LOST);
  };
  // Another cell or another view has set the values; what this view set comes back as an echo.
  const follow = (source, values) => {
    inner = source;
    if (sent.includes(JSON.stringify(values))) return;
    write(values);
    press();
  };
  const answers = [
    ['change:answered', hear],
    ['change:values', follow],
    ['comm_live_update', () => (inner?.comm_live ? complain('') : lose())],
  ];

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let noting;
  /** Keep the setting in the address, once it rests. */
  const note = () => {
    clearTimeout(noting);
    noting = setTimeout(() => {
      const { href } = addressOf(spec, settings());
      try {
        if (href !== location.href) history.replaceState(history.state, '', href);
      } catch {
        /* a page opened from a folder may keep its address */
      }
    }, 250);
  };
  const tabulated = () => {
    const places = controls.map((control) => control.place());
    if (drawingAt) show(drawingAt(cornersOf(places, spec.controls)));
  };
  const changed = () => {
    press();
    if (packed) {
      tabulated();
      if (linked) note();
    } else {
      redraw(); // what follows the sliders by itself need not wait for the kernel
      ask();
    }
  };
  const go = (values) => {
    write(values);
    changed();
  };
  find('reset').addEventListener('click', () => {
    for (const view of views) if (view instanceof BoxView) view.reset();
    go(start);
  });
  presets.forEach((button, i) => {
    button.addEventListener('click', () => go(spec.presets[i][1]));
  });
  find('python').addEventListener('click', () => copy(find('python'), python(settings())));
  find('link')?.addEventListener('click', () => {
    const url = addressOf(spec, settings());
    url.hash = spec.label;
    copy(find('link'), url.href);
  });

  if (packed) {
    write(start);
    const at = controls.map((control) => control.place());
    if (linked) write(asked(spec));
    press();
    try {
      drawingAt = await decode(packed);
      first = drawingAt(cornersOf(at, spec.controls));
      tabulated();
    } catch (error) {
      complain(error.message);
    }
  } else {
    write(model.get('values'));
    press();
    if (same(model.get('answered'), start)) first = unpack(model.get('drawing'));
    show(unpack(model.get('drawing')));
    for (const [name, answer] of answers) model.on(name, answer);
  }
  const observer = new ResizeObserver(() => {
    readouts.style.minHeight = '';
    redraw();
  });
  observer.observe(panels);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
    clearTimeout(noting);
    if (!packed) for (const [name, answer] of answers) model.off(name, answer);
  };
}

export default { render };
