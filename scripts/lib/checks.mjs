// Several checks in a row: all of them run, whatever fails, and the end says which did.
import { show } from "./steps.mjs";

export function checks() {
  const failed = [];
  const note = (name, well) => {
    if (!well) failed.push(name);
  };
  return {
    /** Notes what was checked by other means. */
    note,
    /** Runs a program under a heading and shows what it prints. */
    async run(name, command, args, options) {
      console.log(`\n${name}`);
      note(name, (await show(command, args, options)).code === 0);
    },
    /** Says how it went and answers the exit code. */
    end(success) {
      console.log(failed.length ? `\nFailed: ${failed.join("; ")}` : `\n${success}`);
      return failed.length ? 1 : 0;
    },
  };
}
