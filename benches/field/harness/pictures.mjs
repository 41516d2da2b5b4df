// Pictures of figures, as SVG that follows the reader's choice of light or dark.
import { number } from "./figures.mjs";

const WIDTH = 760;
const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 16px }
  .small { font-size: 12px; fill: #59636e }
  .ground { fill: #ffffff } .grid { stroke: #d1d9e0 } .ours { fill: #1a6b4a } .theirs { fill: #7a8594 } .floor { fill: #c3cad2 }
  .line { stroke: #1a6b4a; stroke-width: 2.5; fill: none } .dot { fill: #1a6b4a }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .small { fill: #9198a1 } .ground { fill: #0d1117 } .grid { stroke: #3d444d }
    .ours, .dot { fill: #4cc38a } .theirs { fill: #8b949e } .floor { fill: #4a515a } .line { stroke: #4cc38a }
  }`;

/** Bars on a scale in which each step is ten times the one before. */
export function bars(title, rows) {
  const [left, top, step, thick] = [270, 56, 34, 20];
  const height = top + step * rows.length + 34;
  const [low, high] = decades(rows.map(({ value }) => value));
  const x = (value) => left + ((Math.log10(value) - low) / (high - low)) * (WIDTH - left - 90);
  const marks = range(low, high).map((power) => scale(x(10 ** power), top - 8, height - 30, (10 ** power).toLocaleString("en", { maximumFractionDigits: 6 }), height - 12));
  const shapes = rows.map(({ name, value, ours, floor }, index) => {
    const y = top + index * step;
    const kind = ours ? "ours" : floor ? "floor" : "theirs";
    return `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${escape(name)}</text>
  <rect class="${kind}" x="${left}" y="${y}" width="${Math.max(2, x(value) - left).toFixed(1)}" height="${thick}" rx="2"/>
  <text x="${(x(value) + 8).toFixed(1)}" y="${y + 15}">${number(value)}</text>`;
  });
  return picture(title, height, [...marks, ...shapes]);
}

/** A curve over counts, which grow tenfold; its own scale begins at nothing. */
export function curve(title, unit, points) {
  const [left, top, bottom, height] = [70, 60, 250, 300];
  const [low, high] = [Math.log10(points[0][0]), Math.log10(points.at(-1)[0])];
  const most = niceAbove(Math.max(...points.map(([, value]) => value)));
  const x = (count) => left + 20 + ((Math.log10(count) - low) / (high - low || 1)) * (WIDTH - left - 100);
  const y = (value) => bottom - (value / most) * (bottom - top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * most).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${WIDTH - 40}" y1="${at}" y2="${at}"/>
  <text class="small" x="${left - 8}" y="${Number(at) + 4}" text-anchor="end">${number(share * most) || "0"}</text>`;
  });
  const path = points.map(([count, value], index) => `${index ? "L" : "M"}${x(count).toFixed(1)} ${y(value).toFixed(1)}`).join(" ");
  const dots = points.map(
    ([count, value]) => `<circle class="dot" cx="${x(count).toFixed(1)}" cy="${y(value).toFixed(1)}" r="4"/>
  <text x="${x(count).toFixed(1)}" y="${(y(value) - 12).toFixed(1)}" text-anchor="middle">${number(value)} ${unit}</text>
  <text class="small" x="${x(count).toFixed(1)}" y="${bottom + 22}" text-anchor="middle">${count.toLocaleString("en")}</text>`,
  );
  return picture(title, height, [...grid, `<path class="line" d="${path}"/>`, ...dots]);
}

/** Bars side by side for each name: what each of two programs spends on it. */
export function pairs(title, unit, names, rows) {
  const [left, top, step, thick] = [230, 78, 44, 16];
  const height = top + step * rows.length + 12;
  const most = Math.max(...rows.flatMap(([, ...values]) => values));
  const width = (value) => (value / most) * (WIDTH - left - 90);
  const kinds = ["theirs", "ours"];
  const legend = names.map((name, index) => {
    const x = left + 200 * index;
    return `<rect class="${kinds[index]}" x="${x}" y="46" width="12" height="12" rx="2"/>
  <text class="small" x="${x + 18}" y="57">${escape(name)}</text>`;
  });
  const shapes = rows.map(([name, ...values], index) => {
    const y = top + index * step;
    const bar = (value, which) => `<rect class="${kinds[which]}" x="${left}" y="${y + which * (thick + 2)}" width="${Math.max(1, width(value)).toFixed(1)}" height="${thick}" rx="2"/>
  <text class="small" x="${(left + width(value) + 8).toFixed(1)}" y="${y + which * (thick + 2) + 12}">${number(value)} ${unit}</text>`;
    return [`<text x="${left - 10}" y="${y + 22}" text-anchor="end">${escape(name)}</text>`, ...values.map(bar)].join("\n  ");
  });
  return picture(title, height, [...legend, ...shapes]);
}

const scale = (x, from, to, text, at) => `<line class="grid" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from}" y2="${to}"/>
  <text class="small" x="${x.toFixed(1)}" y="${at}" text-anchor="middle">${text}</text>`;

function picture(title, height, shapes) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">
  <style>${STYLE}
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}"/>
  <text class="title" x="16" y="28">${escape(title)}</text>
  ${shapes.join("\n  ")}
</svg>
`;
}

function decades(values) {
  const low = Math.floor(Math.log10(Math.min(...values)) - 0.2);
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 10, 20].map((step) => step * power).find((step) => step >= 1.15 * value);
}

const escape = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
