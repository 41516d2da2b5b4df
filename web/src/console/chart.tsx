// Charts as drawings of the page itself, so that they can be read: by eye in two themes, by arrow keys, and as a table.
import { max, nice, ticks } from "d3-array";
import { useId, useState } from "preact/hooks";
import { Button, Say, Table } from "./parts.tsx";
import type { Column } from "./statistics.ts";
import { useConsole, useSay, useWords } from "./ui.ts";

const HEIGHT = 180;
const WIDTH = 720;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;

export interface Series {
  title: string;
  /** Of look.css, 1 to 6. */
  colour: number;
}

interface Props {
  title: string;
  /** One sentence that says what is to be seen. */
  summary: string;
  series: Series[];
  columns: Column[];
  form: "stacked" | "beside" | "share";
  /** Where what stands behind a column is. */
  link: (column: Column) => string;
}

export function Chart(props: Props) {
  const { title, summary, series, columns, form, link } = props;
  const { tag, go } = useConsole();
  const { chart: w } = useWords();
  const say = useSay();
  const id = useId();
  const [chosen, setChosen] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const number = new Intl.NumberFormat(tag, form === "share" ? { style: "percent", maximumFractionDigits: 1 } : {});
  const long = (columns[0]?.to ?? 0) - (columns[0]?.from ?? 0) >= 86_400;
  const spread = (columns.at(-1)?.to ?? 0) - (columns[0]?.from ?? 0) > 2 * 86_400;
  const time = new Intl.DateTimeFormat(tag, long ? { day: "numeric", month: "short" } : spread ? { day: "numeric", month: "short", hour: "2-digit" } : { hour: "2-digit", minute: "2-digit" });
  const shown = (value: number) => (Number.isNaN(value) ? say(w.few) : number.format(value));
  const told = (column: Column) => `${time.format(column.from * 1000)}: ${series.map((one, place) => `${one.title} ${shown(column.values[place]!)}`).join(", ")}${column.running ? `, ${say(w.soFar)}` : ""}`;
  const point = chosen === null ? null : columns[chosen];
  const keys = (event: KeyboardEvent) => {
    const last = columns.length - 1;
    const to = { ArrowRight: Math.min(last, (chosen ?? -1) + 1), ArrowLeft: Math.max(0, (chosen ?? last + 1) - 1), Home: 0, End: last }[event.key];
    if (to !== undefined) setChosen(to);
    else if (event.key === "Enter" && point) go(link(point));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <figure class="chart" aria-labelledby={`${id}-title`}>
      <figcaption>
        <div class="card-head">
          <h2 id={`${id}-title`}>{title}</h2>
          <Button kind="quiet" onPress={() => setAsTable(!asTable)} pressed={asTable}>
            <Say of={w.table} />
          </Button>
        </div>
        <p class="hint">{summary}</p>
      </figcaption>
      {asTable ? (
        <Table
          caption={title}
          rows={columns}
          id={({ from }) => from}
          link={link}
          columns={[
            { title: say(w.time), cell: (column) => `${time.format(column.from * 1000)}${column.running ? ` (${say(w.soFar)})` : ""}` },
            ...series.map((one, place) => ({ title: one.title, number: true, cell: (column: Column) => shown(column.values[place]!) })),
          ]}
        />
      ) : (
        <>
          <ul class="legend">
            {series.map(({ title: name, colour }, place) => (
              <li key={name}>
                <svg viewBox="0 0 14 14" aria-hidden="true">
                  <Pattern id={`${id}-l${place}`} colour={colour} place={place} />
                  <rect width="14" height="14" rx="3" fill={`url(#${id}-l${place})`} />
                </svg>
                {name}
              </li>
            ))}
          </ul>
          <div class="drawing" tabIndex={0} role="group" aria-label={`${title}. ${say(w.keys)}`} onKeyDown={keys} onMouseLeave={() => setChosen(null)}>
            <Drawing {...props} id={id} chosen={chosen} onChoose={setChosen} label={(column) => time.format(column.from * 1000)} value={(value) => number.format(value)} />
          </div>
          <p class="reading" role="status">
            {point ? (
              <>
                {told(point)} · <a href={link(point)}><Say of={w.events} /></a>
              </>
            ) : (
              <span class="soft">
                <Say of={w.keys} />
              </span>
            )}
          </p>
        </>
      )}
    </figure>
  );
}

/** A colour, and a pattern, so that colour is never all there is. */
function Pattern({ id, colour, place }: { id: string; colour: number; place: number }) {
  const lines = [null, "M0 6L6 0", "M0 3H6", "M3 0V6"][place % 4];
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse">
      <rect width="6" height="6" class={`fill-${colour}`} />
      {lines && <path d={lines} class="lines" />}
    </pattern>
  );
}

interface DrawingProps extends Props {
  id: string;
  chosen: number | null;
  onChoose: (index: number) => void;
  label: (column: Column) => string;
  value: (value: number) => string;
}

function Drawing({ series, columns, form, id, chosen, onChoose, label, value }: DrawingProps) {
  const narrow = matchMedia("(max-width: 40rem)").matches;
  const width = narrow ? 340 : WIDTH;
  const highest = form === "share" ? 1 : (max(columns, ({ values }) => (form === "stacked" ? values.reduce((all, one) => all + one, 0) : Math.max(...values))) ?? 0);
  const [, top] = form === "share" ? [0, 1] : nice(0, Math.max(highest, 4), 4);
  const y = (at: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - at / top!);
  const each = (width - LEFT) / Math.max(1, columns.length);
  const gap = each > 8 ? 3 : each > 4 ? 1 : 0;
  const every = Math.ceil(columns.length / (narrow ? 4 : 8));
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
      {series.map(({ colour }, place) => (
        <Pattern key={place} id={`${id}-${place}`} colour={colour} place={place} />
      ))}
      {ticks(0, top!, 4).map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} class="grid" />
          <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
            {value(tick)}
          </text>
        </g>
      ))}
      {columns.map((column, index) => (
        <g key={column.from} opacity={column.running ? 0.55 : 1}>
          {index % every === 0 && (
            <text x={LEFT + each * index} y={HEIGHT - 6}>
              {label(column)}
            </text>
          )}
          {form === "stacked" && stack(column.values).map(([low, high], place) => high > low && <rect key={place} x={LEFT + each * index} width={each - gap} y={y(high)} height={y(low) - y(high)} fill={`url(#${id}-${place})`} />)}
          {form === "beside" &&
            column.values.map((one, place) => <rect key={place} x={LEFT + each * index + ((each - gap) / column.values.length) * place} width={(each - gap) / column.values.length} y={y(one)} height={y(0) - y(one)} fill={`url(#${id}-${place})`} />)}
          {form === "share" && column.values.map((one, place) => !Number.isNaN(one) && <circle key={place} cx={LEFT + each * (index + 0.5)} cy={y(one)} r="3" class={`fill-${series[place]!.colour}`} />)}
        </g>
      ))}
      {form === "share" && series.map(({ colour }, place) => <path key={place} d={path(columns, place, (index) => LEFT + each * (index + 0.5), y)} class={`line stroke-${colour}`} stroke-dasharray={["", "6 3", "2 3"][place % 3]} />)}
      <line x1={LEFT} x2={width} y1={y(0)} y2={y(0)} class="axis" />
      {columns.map((column, index) => (
        <rect key={column.from} x={LEFT + each * index} width={each} y={TOP} height={HEIGHT - TOP - BOTTOM} class={index === chosen ? "hit on" : "hit"} onMouseEnter={() => onChoose(index)} />
      ))}
    </svg>
  );
}

const stack = (values: number[]): [low: number, high: number][] => {
  let at = 0;
  return values.map((value) => [at, (at += value)]);
};

/** Straight from point to point; where one is missing the line ends, and begins anew. */
function path(columns: Column[], place: number, x: (index: number) => number, y: (value: number) => number): string {
  let draws = false;
  return columns
    .map(({ values }, index) => {
      const value = values[place]!;
      const step = Number.isNaN(value) ? "" : `${draws ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      draws = !Number.isNaN(value);
      return step;
    })
    .join("");
}

/** Bars from 0 to all, with the number written at the end. */
export function Bars({ rows }: { rows: { name: string; part: number; told: string }[] }) {
  return (
    <ul class="bars">
      {rows.map(({ name, part, told }) => (
        <li key={name}>
          <span class="bar-name">{name}</span>
          <span class="bar-line" aria-hidden="true">
            <span style={{ width: `${(100 * part).toFixed(1)}%` }} />
          </span>
          <span class="bar-told">{told}</span>
        </li>
      ))}
    </ul>
  );
}
