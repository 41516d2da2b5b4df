// What the terminal shows of a step that takes long.

/** Cargo draws its bar for whoever reads its output, too. */
export const cargoProgress = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "80" };

/**
 * One line that says how far a step is, or several that run side by side: on a terminal it is written over every
 * second; elsewhere what cargo has counted is added to it every half a minute, without control characters.
 */
export function progressLine(text) {
  const terminal = process.stdout.isTTY && process.env.TERM !== "dumb";
  const began = Date.now();
  const counts = new Map();
  let said = "";
  const elapsed = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const count = () => {
    const sum = (index) => [...counts.values()].reduce((total, pair) => total + pair[index], 0);
    return counts.size ? `${sum(0)}/${sum(1)}` : "";
  };
  const draw = () => {
    const line = `${text}${count() && `${count()} crates, `}${elapsed()}`;
    // A line that is longer than the terminal could not be written over.
    process.stdout.write(`\r${line.slice(0, (process.stdout.columns || 80) - 1)}\x1b[K`);
  };
  const add = () => {
    if (count() !== said) process.stdout.write(`${count()} … `);
    said = count();
  };
  process.stdout.write(text);
  const timer = setInterval(terminal ? draw : add, terminal ? 1000 : 30_000);
  return {
    count,
    /** Whether this was a drawing of the bar of `program`'s cargo, which belongs in no log. */
    reads(output, program) {
      const drawn = output.match(/^\s*Building \[[=> ]*\] (\d+)\/(\d+)/);
      if (drawn) counts.set(program, [Number(drawn[1]), Number(drawn[2])]);
      return Boolean(drawn);
    },
    end(well) {
      clearInterval(timer);
      if (terminal) process.stdout.write(`\r${text}\x1b[K`);
      console.log(well ? elapsed() : "failed");
    },
  };
}
