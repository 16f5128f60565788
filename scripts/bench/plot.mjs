// Cost against the turn's number, as SVG: both axes logarithmic, every line labelled at its end, light and dark. Pure.

const LINES = [
  { name: 'stock', label: 'stock session', color: '#d9622b' },
  { name: 'memory', label: 'MemorySession', color: '#b4579b' },
  { name: 'rebuild', label: 'ours, rebuild', color: '#a8861a' },
  { name: 'chain-background', label: 'ours, chain', color: '#2f9e6e' },
  { name: 'anchored-background', label: 'ours, constant-size turns', color: '#2b7fd9' },
  { name: 'hand', label: 'by hand', color: '#8a8f98', dashed: true },
];
const PANELS = [
  { title: 'Milliseconds until the answer', value: ({ wall }) => wall.median, band: ({ wall }) => wall },
  { title: 'Kilobytes sent and received', value: ({ up, down }) => (up + down) / 1000 },
];
const PANEL = { width: 490, height: 330, left: 54, right: 108, top: 46, bottom: 44 };
const LABEL_HEIGHT = 15;

/** The plot of the results. */
export function plot({ turns, settings }) {
  const lines = LINES.flatMap((line) => {
    const found = turns.find(({ name }) => name === line.name);
    return found === undefined ? [] : [{ ...line, points: found.points }];
  });
  const width = PANEL.width * PANELS.length;
  const panels = PANELS.map(
    (panel, index) =>
      `<g transform="translate(${index * PANEL.width} 0)">\n${panelOf(panel, lines, settings.points)}\n</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL.height}" width="${width}" height="${PANEL.height}" role="img" aria-label="Time and bytes of a turn against its number">
<style>
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #3d444d; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
  }
</style>
${panels.join('\n')}
</svg>
`;
}

function panelOf({ title, value, band }, lines, points) {
  const values = lines.flatMap((line) => line.points.map((one) => value(one)));
  const x = scale(Math.min(...points), Math.max(...points), PANEL.left, PANEL.width - PANEL.right);
  const [low, high] = [lowerTick(Math.min(...values)), upperTick(Math.max(...values))];
  const y = scale(low, high, PANEL.height - PANEL.bottom, PANEL.top);
  const bottom = PANEL.height - PANEL.bottom;
  const parts = [
    `<text class="title" x="${PANEL.left}" y="22">${title}</text>`,
    ...ticks(low, high).map(
      (tick) =>
        `<line class="grid" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
        `<text x="${PANEL.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toLocaleString('en-US')}</text>`,
    ),
    ...points
      .filter((point) => /^10*$/.test(String(point)) || point === Math.max(...points))
      .map(
        (point) =>
          `<text x="${x(point)}" y="${bottom + 18}" text-anchor="middle">${point.toLocaleString('en-US')}</text>`,
      ),
    `<text x="${(PANEL.left + PANEL.width - PANEL.right) / 2}" y="${bottom + 36}" text-anchor="middle">turn</text>`,
  ];
  for (const line of lines) {
    const path = line.points.map((one) => `${x(one.point)} ${y(value(one))}`);
    if (band !== undefined) {
      const edge = (key) => line.points.map((one) => `${x(one.point)} ${y(Math.max(band(one)[key], low))}`);
      const area = [...edge('high'), ...edge('low').toReversed()].join(' L ');
      parts.push(`<path d="M ${area} Z" fill="${line.color}" fill-opacity="0.14"/>`);
    }
    const dashes = line.dashed ? ' stroke-dasharray="5 4"' : '';
    parts.push(`<path class="line" stroke="${line.color}"${dashes} d="M ${path.join(' L ')}"/>`);
  }
  const ends = lines.map((line) => ({ ...line, at: y(value(line.points.at(-1))) }));
  for (const { label, color, at } of apart(ends)) {
    parts.push(
      `<text x="${PANEL.width - PANEL.right + 8}" y="${round(at + 4)}" style="fill:${color}">${label}</text>`,
    );
  }
  return parts.join('\n');
}

/** From values to places, both logarithmic. */
function scale(low, high, from, to) {
  return (value) => round(from + (Math.log(value / low) / Math.log(high / low)) * (to - from));
}

/** Labels that would lie on each other are moved apart. */
function apart(ends) {
  const sorted = ends.toSorted((a, b) => a.at - b.at);
  const lowest = PANEL.height - PANEL.bottom;
  for (let index = 1; index < sorted.length; index += 1) {
    sorted[index].at = Math.max(sorted[index].at, sorted[index - 1].at + LABEL_HEIGHT);
  }
  let limit = lowest;
  for (const end of sorted.toReversed()) {
    end.at = Math.min(end.at, limit);
    limit = end.at - LABEL_HEIGHT;
  }
  return sorted;
}

const STEPS = [1, 2, 5];

function ticks(low, high) {
  const all = [];
  for (let power = -3; power <= 9; power += 1) {
    for (const step of STEPS) {
      const tick = step * 10 ** power;
      if (tick >= low && tick <= high) all.push(Number(tick.toPrecision(1)));
    }
  }
  const decades = all.filter((tick) => /^0?\.?0*10*$/.test(String(tick)));
  return all.length > 9 ? decades : all;
}

function lowerTick(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.findLast((step) => step * power <= value) * power;
}

function upperTick(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([...STEPS, 10].find((step) => step * power >= value) ?? 10) * power;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
