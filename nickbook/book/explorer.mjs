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
 *   color: string, dash: 'solid' | 'dashed' | 'dotted', points: boolean, moves: string[]}} Curve
 * @typedef {{values: ArrayLike<number>, shape: [number, number], x_limits: Limits,
 *   y_limits: Limits, limits: Limits, colors: string[], label: string}} Image
 * @typedef {{title: string, x_label: string, y_label: string, x_limits: Limits, y_limits: Limits,
 *   x_log: boolean, y_log: boolean, x_ticks: Ticks, y_ticks: Ticks, equal: boolean,
 *   curves: Curve[], images: Image[], vertical: number[], horizontal: number[], drag: string[],
 *   z_limits: Limits | null, z_label: string, view: [number, number]}} Panel
 * @typedef {{panels: Panel[], readouts: [string, string][], error?: string}} Drawing
 * @typedef {{name: string, label: string, kind: string, value: any, values: any[], unit: string,
 *   format: string, stepsOnly?: boolean}} Control
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 * @typedef {Record<string, any>} Settings
 * @typedef {{width: number, height: number, columns: number}} Spec
 * @typedef {(names: string[], values: number[]) => void} Steer
 */

const STYLE = `
.nb-explorer { container-type: inline-size; text-align: left;
  color: var(--jp-content-font-color1, inherit); font-size: .92rem; line-height: 1.4; }
.nb-panels { display: grid; grid-template-columns: repeat(var(--nb-columns), minmax(0, 1fr));
  gap: .75rem 1rem; }
@container (max-width: 34rem) { .nb-panels { grid-template-columns: minmax(0, 1fr); } }
.nb-head { display: flex; flex-wrap: wrap; gap: 0 1rem; min-height: 1.4em; padding-left: 3rem; }
.nb-key { display: inline-flex; align-items: center; gap: .35rem; }
.nb-key svg { width: 1.6rem; height: .6rem; }
.nb-explorer svg { display: block; max-width: none; }
.nb-drag { cursor: crosshair; touch-action: none; user-select: none; }
.nb-box { cursor: grab; touch-action: pan-y; user-select: none; }
.nb-box:active { cursor: grabbing; }
.nb-explorer :is(sub, sup) { line-height: 0; }
.nb-controls { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: end;
  margin: .75rem 0 .25rem; }
.nb-control { flex: 1 1 10rem; min-width: 0; display: grid; grid-template-columns: 1fr auto; }
.nb-control :is(input, select) { grid-column: 1 / 3; width: 100%; min-height: 1.75rem; margin: 0;
  font: inherit; color: inherit; background: transparent; }
.nb-control option { color: CanvasText; background: Canvas; }
.nb-reset { font: inherit; color: inherit; background: none; border: 1px solid currentColor;
  border-radius: 6px; padding: .25rem .75rem; cursor: pointer; }
.nb-readouts { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: .25rem 0;
  min-height: 1.4em; font-variant-numeric: tabular-nums; }
.nb-message { margin: .25rem 0; padding: .25rem .75rem; border-left: 3px solid #cf3f2e; }
.nb-message.nb-wait { border-color: currentColor; }
.nb-message[hidden] { display: none; }
.nb-old { opacity: .25; }`;

// --- the table ---------------------------------------------------------------------------------

/**
 * Unpack a table; the result gives the drawing at a point, the last control counting fastest.
 * @param {string} base64
 * @returns {Promise<(point: number) => Drawing>}
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
  return (point) => {
    const drawing = JSON.parse(JSON.stringify(head.template));
    holes.forEach((path, i) => {
      const parent = path.slice(0, -1).reduce((node, key) => node[key], drawing);
      parent[path.at(-1)] = (i < head.arrayHoles.length ? pool : head.scalars)[rows[i][point]];
    });
    return inUnits(drawing);
  };
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
function fromSteps(steps, [low, high], log, count) {
  return Float64Array.from(steps, (step) => {
    if (step === NOT_A_NUMBER) return NaN;
    return log ? low * (high / low) ** (step / count) : low + ((high - low) * step) / count;
  });
}

/** Arrays from the kernel come as binary views beside the JSON. */
function unpack(node) {
  if (node instanceof DataView)
    return new Float64Array(node.buffer.slice(node.byteOffset, node.byteOffset + node.byteLength));
  if (Array.isArray(node)) return node.map(unpack);
  if (node && typeof node === 'object')
    return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, unpack(v)]));
  return node;
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
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
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
const rich = (text) =>
  pieces(text).map(([kind, piece]) => (kind ? h(kind === '_' ? 'sub' : 'sup', {}, piece) : piece));

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

/** The number at a place on the screen. @type {typeof axis} */
function inverse([low, high], log, from, to) {
  if (log) return (place) => low * (high / low) ** ((place - from) / (to - from));
  return (place) => low + ((place - from) / (to - from)) * (high - low);
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
 * @type {(curve: Curve) => object}
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

/** Title and legend. @type {(panel: Panel) => HTMLElement[]} */
function heading({ title, curves }) {
  const named = new Map(curves.filter((c) => c.name).map((c) => [c.name, c]));
  const keys = [...named.values()].map((c) => {
    const line = s('path', { d: c.points ? 'M13 5h0' : 'M0 5H26', ...stroke(c) });
    const sample = s('svg', { viewBox: '0 0 26 10' }, line);
    return h('span', { class: 'nb-key' }, sample, h('span', {}, ...rich(c.name)));
  });
  return title ? [h('strong', {}, ...rich(title)), ...keys] : keys;
}

/** One panel: its frame is rebuilt only when limits, labels or size change, its curves are moved. */
class PanelView {
  /** @type {(v: number) => number} */
  X = Number;
  /** @type {(v: number) => number} */
  Y = Number;
  /** @type {SVGElement[]} */
  images = [];
  /** @type {SVGElement[]} */
  curves = [];
  key = '';
  /** @type {(event: PointerEvent) => void} */
  point = () => {};

  /** @type {(spec: Spec, steer: Steer) => void} */
  constructor(spec, steer) {
    this.spec = spec;
    this.steer = steer;
    this.head = h('div', { class: 'nb-head' });
    this.svg = canvas((event) => this.point(event));
    this.el = h('div', { class: 'nb-panel' }, this.head, this.svg);
  }

  /** @type {(panel: Panel, settings: Settings) => void} */
  draw(panel, settings) {
    const [width, height] = sizeOf(this.el, this.spec);
    const key = JSON.stringify([width, height, panel], (_, value) =>
      ArrayBuffer.isView(value) ? undefined : value,
    );
    if (key !== this.key) this.frame(panel, width, height);
    this.key = key;
    panel.images.forEach((image, i) => {
      this.images[i].setAttribute('href', picture(image));
    });
    panel.curves.forEach((curve, i) => {
      this.curves[i].setAttribute('d', path(curve, settings, this.X, this.Y));
    });
  }

  /** @type {(panel: Panel, width: number, height: number) => void} */
  frame(panel, width, height) {
    this.head.replaceChildren(...heading(panel));
    const yTicks = panel.y_ticks.length
      ? panel.y_ticks
      : ticks(panel.y_limits, panel.y_log, height / 60);
    const widest = Math.max(...yTicks.map(([, text]) => plain(text).length));
    const box = {
      left: 30 + 7.5 * widest,
      right: width - (panel.images.length ? 84 : 14),
      top: 10,
      bottom: height - 46,
    };
    if (panel.equal) this.equalize(box, panel);
    this.X = axis(panel.x_limits, panel.x_log, box.left, box.right);
    this.Y = axis(panel.y_limits, panel.y_log, box.bottom, box.top);
    const xTicks = panel.x_ticks.length
      ? panel.x_ticks
      : ticks(panel.x_limits, panel.x_log, (box.right - box.left) / 60);
    this.svg.classList.toggle('nb-drag', panel.drag.length > 0);
    this.point = (event) => {
      if (!panel.drag.length) return;
      const frame = this.svg.getBoundingClientRect();
      const scale = width / frame.width;
      const x = inverse(panel.x_limits, panel.x_log, box.left, box.right);
      const y = inverse(panel.y_limits, panel.y_log, box.bottom, box.top);
      const place = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
      this.steer(panel.drag, [x(place[0]), y(place[1])]);
    };
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
    const grid = [
      ...panel.vertical.map((x) => `M${this.X(x)} ${box.top}V${box.bottom}`),
      ...panel.horizontal.map((y) => `M${box.left} ${this.Y(y)}H${box.right}`),
    ];
    const faint = [
      ...xTicks.map(([x]) => `M${this.X(x)} ${box.top}V${box.bottom}`),
      ...yTicks.map(([y]) => `M${box.left} ${this.Y(y)}H${box.right}`),
    ];
    this.svg.setAttribute('viewBox', `0 0 ${width} ${box.bottom + 46}`);
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

/** What panels draw on; it tells where it is pressed, and where the pointer goes from there. */
function canvas(point, attributes = {}) {
  const svg = s('svg', { 'font-size': 13, 'font-family': 'inherit', ...attributes });
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    point(event);
  });
  svg.addEventListener('pointermove', (event) => {
    if (svg.hasPointerCapture(event.pointerId)) point(event);
  });
  return svg;
}

/** @type {(el: HTMLElement, spec: Spec) => [number, number]} */
function sizeOf(el, { width: total, height: highest, columns }) {
  const nominal = total / columns;
  const width = Math.max(220, Math.round(el.clientWidth || nominal));
  return [width, Math.round(Math.min(highest, Math.max(220, (width * highest) / nominal)))];
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
class BoxView {
  /** @type {Panel | undefined} */
  panel;
  /** @type {Settings} */
  settings = {};
  /** @type {[number, number]} */
  view = [0, 0];
  from = [0, 0];

  /** @type {(spec: Spec) => void} */
  constructor(spec) {
    this.spec = spec;
    this.head = h('div', { class: 'nb-head' });
    this.svg = canvas((event) => this.pull(event), {
      class: 'nb-box',
      tabindex: 0,
      role: 'application',
      ...KEYS,
    });
    this.svg.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [5, 0], ArrowRight: [-5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] };
      if (!step[event.key]) return;
      event.preventDefault();
      this.turn(step[event.key]);
    });
    this.el = h('div', { class: 'nb-panel' }, this.head, this.svg);
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
    [this.panel, this.settings] = [panel, settings];
    const [width, height] = sizeOf(this.el, this.spec);
    const unit = Math.min(width, height) / (2 * BOX_EXTENT);
    const seen = projection(panel, this.view);
    const place = ([right, up]) => [width / 2 + unit * right, height / 2 - unit * up];
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
    const pieces = panel.curves.map((curve) => this.pieces(curve, seen, settings));
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
    this.head.replaceChildren(...heading(panel));
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.setAttribute('aria-label', `${plain(panel.title)}: turn it with the arrow keys`);
    const outline = frame.map(({ ends }) => `M${write(ends).join('L')}`).join('');
    this.svg.replaceChildren(
      s('path', { d: outline, stroke: 'currentColor', opacity: 0.5, fill: 'none' }),
      ...layers,
      ...names,
    );
  }

  /**
   * Segments of a line, or points, with the layers of depth in which they lie.
   * @type {(curve: Curve, seen: (point: number[]) => number[], settings: Settings) =>
   *   {layer: number, points: number[][]}[]}
   */
  pieces(curve, seen, settings) {
    const [right, up] = shift(curve, settings);
    const all = Array.from(curve.x, (x, i) =>
      seen([x + right, curve.y[i] + up, curve.z ? curve.z[i] : 0]),
    );
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

/**
 * A slider's position is an index into its values; between two of them when a kernel computes.
 * @param {Control} control
 * @param {boolean} live
 * @param {() => void} changed
 */
function slider(control, live, changed) {
  const { values, unit } = control;
  const [id, last] = [uid(), values.length - 1];
  const step = live && !control.stepsOnly ? 1 / Math.ceil(200 / last) : 1;
  const input = h('input', {
    id,
    type: 'range',
    min: 0,
    max: last,
    step,
    name: control.name,
    ...KEYS,
  });
  const output = h('output', { for: id, 'aria-live': 'off' });
  let value = control.value; // the input rounds what is written into it
  const show = () => {
    output.textContent = `${format(value, control.format)}${unit && ` ${unit}`}`;
    input.setAttribute('aria-valuetext', output.textContent);
  };
  const place = () => {
    const right = Math.max(
      1,
      values.findIndex((v) => v >= value),
    );
    const left = right - 1;
    return left + (value - values[left]) / (values[right] - values[left]);
  };
  const write = (next) => {
    value = Math.max(values[0], Math.min(values[last], next));
    if (step === 1) value = values[Math.round(place())];
    input.value = place();
    show();
  };
  input.addEventListener('input', () => {
    const left = Math.min(Math.floor(input.value), last - 1);
    const fraction = Number(input.value) - left;
    value =
      Math.abs(fraction - Math.round(fraction)) < 1e-9
        ? values[left + Math.round(fraction)]
        : values[left] + fraction * (values[left + 1] - values[left]);
    show();
    changed();
  });
  const el = h(
    'div',
    { class: 'nb-control' },
    h('label', { for: id }, ...rich(control.label)),
    output,
    input,
  );
  return { el, input, read: () => value, write, place };
}

/** @type {typeof slider} */
function choice(control, _live, changed) {
  const id = uid();
  const input = h(
    'select',
    { id, name: control.name, ...KEYS },
    ...control.values.map((v) => h('option', { value: v }, plain(v))),
  );
  input.addEventListener('change', changed);
  const el = h(
    'div',
    { class: 'nb-control' },
    h('label', { for: id }, ...rich(control.label)),
    input,
  );
  return {
    el,
    input,
    read: () => input.value,
    write: (v) => {
      input.value = v;
    },
    place: () => control.values.indexOf(input.value),
  };
}

// --- the widget --------------------------------------------------------------------------------

const PATIENCE = 300; // ms after which a reader is told that there is no answer yet
const LOST = 'The kernel that drew this has stopped: start the kernel again and run this cell.';

/** @param {{model: any, el: HTMLElement}} widget */
async function render({ model, el }) {
  const spec = model.get('spec');
  const packed = model.get('table');
  const root = h('div', { class: 'nb-explorer' }, h('style', {}, STYLE));
  const panels = h('div', {
    class: 'nb-panels',
    style: `--nb-columns: ${spec.columns}`,
  });
  const readouts = h('div', { class: 'nb-readouts', role: 'status', 'aria-live': 'polite' });
  const message = h('p', { class: 'nb-message', role: 'alert', hidden: '' });
  const reset = h('button', { type: 'button', class: 'nb-reset' }, 'Reset');
  /** @type {ReturnType<typeof slider>[]} */
  const controls = spec.controls.map((control) =>
    (control.kind === 'choice' ? choice : slider)(control, !packed, () => changed()),
  );
  root.append(
    panels,
    h('div', { class: 'nb-controls' }, ...controls.map((c) => c.el), reset),
    readouts,
    message,
  );
  el.append(root);

  /** @type {(PanelView | BoxView)[]} */
  let views = [];
  /** @type {Drawing | undefined} */
  let drawing;
  /** @type {((point: number) => Drawing) | undefined} */
  let drawingAt;
  const complain = (text, waiting = false) => {
    message.hidden = !text;
    message.classList.toggle('nb-wait', waiting);
    // The curves and readouts are then those of another setting.
    for (const old of [panels, readouts]) old.classList.toggle('nb-old', Boolean(text));
    if (message.textContent !== text) message.textContent = text;
  };
  const redraw = () => {
    drawing?.panels.forEach((panel, i) => {
      views[i].draw(panel, settings());
    });
  };
  /** @param {Drawing} next */
  const show = (next) => {
    complain(next.error ?? model.get('error') ?? '');
    if (next.error) return;
    drawing = next;
    if (views.length !== drawing.panels.length) {
      views = drawing.panels.map((panel) =>
        panel.z_limits ? new BoxView(spec) : new PanelView(spec, steer),
      );
      // What a picture contains cannot have the focus.
      const turns = views.some((view) => view instanceof BoxView);
      panels.setAttribute('role', turns ? 'group' : 'img');
      panels.replaceChildren(...views.map((view) => view.el));
    }
    redraw();
    const texts = drawing.readouts.map(([name, value]) =>
      h('span', {}, ...rich(name), ` = ${value}`),
    );
    readouts.replaceChildren(...texts);
    panels.setAttribute('aria-label', [spec.alt, ...texts.map((t) => t.textContent)].join(' '));
  };
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

  // Talk with the kernel.
  /** @type {any} */
  let inner; // the model behind `model`: it knows whether its kernel is there
  /** @type {string[]} */
  let asked = []; // what this view set, down to the answer that is still to come
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const same = (a, b) => spec.controls.every(({ name }) => a[name] === b[name]);
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => complain('computing…', true), PATIENCE);
  };
  const ask = () => {
    const values = settings();
    if (same(values, model.get('values'))) return;
    asked.push(JSON.stringify(values));
    model.set('values', values);
    model.save_changes();
    if (inner?.comm_live === false || model.widget_manager?.kernel === null) lose();
    else wait();
  };
  const hear = () => {
    show(unpack(model.get('drawing')));
    if (!same(model.get('answered'), model.get('values'))) return wait(); // while one drags
    clearTimeout(timer);
    asked = asked.slice(-1);
  };
  const lose = () => {
    clearTimeout(timer);
    complain(LOST);
  };
  // Another cell or another view has set the values; what this view set comes back as an echo.
  const follow = (source, values) => {
    inner = source;
    if (!asked.includes(JSON.stringify(values))) write(values);
  };
  const answers = [
    ['change:answered', hear],
    ['change:values', follow],
    ['comm_live_update', () => (inner?.comm_live ? complain('') : lose())],
  ];

  const changed = () => {
    if (!packed) {
      redraw(); // what follows the sliders by itself need not wait for the kernel
      ask();
    } else if (drawingAt) {
      const sizes = spec.controls.map((control) => control.values.length);
      show(
        drawingAt(
          controls.reduce((at, control, i) => at * sizes[i] + Math.round(control.place()), 0),
        ),
      );
    }
  };
  const start = Object.fromEntries(spec.controls.map((control) => [control.name, control.value]));
  reset.addEventListener('click', () => {
    write(start);
    for (const view of views) if (view instanceof BoxView) view.reset();
    changed();
  });

  if (packed) {
    write(start);
    try {
      drawingAt = await decode(packed);
      changed();
    } catch (error) {
      complain(error.message);
    }
  } else {
    write(model.get('values'));
    show(unpack(model.get('drawing')));
    for (const [name, answer] of answers) model.on(name, answer);
  }
  const observer = new ResizeObserver(redraw);
  observer.observe(panels);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
    if (!packed) for (const [name, answer] of answers) model.off(name, answer);
  };
}

export default { render };
