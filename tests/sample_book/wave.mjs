// An anywidget module: one slider, one curve.
const SVG = 'http://www.w3.org/2000/svg';

export default {
  render({ model, el }) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 360 120');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', 'A wave');
    const curve = svg.appendChild(document.createElementNS(SVG, 'polyline'));
    curve.setAttribute('fill', 'none');
    curve.setAttribute('stroke', 'currentColor');
    const label = document.createElement('label');
    const slider = Object.assign(document.createElement('input'), { type: 'range', min: 1, max: 9 });
    slider.value = model.get('waves');
    label.append('Waves ', slider);
    const draw = () => {
      const points = Array.from({ length: 181 }, (_, i) => `${2 * i},${(60 - 50 * Math.sin((i * model.get('waves') * Math.PI) / 90)).toFixed(1)}`);
      curve.setAttribute('points', points.join(' '));
    };
    slider.addEventListener('input', () => model.set('waves', Number(slider.value)));
    model.on('change:waves', draw);
    draw();
    el.append(svg, label);
  },
};
