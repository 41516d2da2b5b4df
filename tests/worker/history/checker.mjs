// Is there an order in which the operations of a history, each taking effect at one moment between its call and its
// return, give the answers they gave? Wing and Gong's search, made in the order of the returns as Lowe does: after each it
// keeps every distinct configuration of a model state and the open operations that took effect already.

const MOST = 500_000;

/**
 * `history`: operations with `id`, `called`, `returned` and `answer`. Of one without an answer it is not known whether it took
 * effect; if it did, then before it `returned`, which may be never (Infinity).
 * @returns {{ok: boolean, at?: object, states?: object[], largest: number}} `at`: the operation no order explains
 */
export function linearizable(history, initial, outcomes) {
  let configurations = [{ state: initial, done: [] }];
  let largest = 1;
  const open = [];
  for (const { operation, isCall } of events(history)) {
    if (isCall) {
      open.push(operation);
      continue;
    }
    let next = explain(configurations, open, operation, outcomes);
    if (operation.answer === undefined) next = distinct([...next, ...configurations.filter(({ done }) => !done.includes(operation.id))]);
    if (next.length === 0) return { ok: false, at: operation, states: configurations.map(({ state }) => state), largest };
    open.splice(open.indexOf(operation), 1);
    configurations = next;
    largest = Math.max(largest, next.length);
  }
  return { ok: true, largest };
}

function events(history) {
  const calls = history.map((operation) => ({ operation, isCall: true, time: operation.called }));
  const returned = history.filter(({ returned }) => returned < Infinity);
  const returns = returned.map((operation) => ({ operation, isCall: false, time: operation.returned }));
  return [...calls, ...returns].sort((one, other) => one.time - other.time || Number(other.isCall) - Number(one.isCall));
}

const distinct = (configurations) => [...new Map(configurations.map((configuration) => [keyOf(configuration), configuration])).values()];

const keyOf = ({ state, done }) => `${done.join(" ")} ${JSON.stringify(state)}`;

/** The configurations in which `returning` has taken effect, and is no longer open. */
function explain(configurations, open, returning, outcomes) {
  const found = new Map();
  const seen = new Set();
  const stack = configurations.slice();
  while (stack.length > 0) {
    const configuration = settle(stack.pop(), open, outcomes);
    const { state, done } = configuration;
    const key = keyOf(configuration);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > MOST) throw new Error(`more than ${MOST} configurations at operation ${returning.id}`);
    if (done.includes(returning.id)) {
      const left = { state, done: done.filter((id) => id !== returning.id) };
      found.set(keyOf(left), left);
      continue;
    }
    for (const operation of open) {
      if (done.includes(operation.id)) continue;
      for (const [answer, next] of outcomes(state, operation)) {
        if (operation.answer === undefined || operation.answer === answer) stack.push({ state: next, done: including(done, operation) });
      }
    }
  }
  return [...found.values()];
}

/**
 * Operations that may answer as they did and change nothing have done so: putting that off explains nothing more. Not so a
 * wrong code, which may be counted a moment later and answered in the same words.
 */
function settle({ state, done }, open, outcomes) {
  let all = done;
  for (const operation of open) {
    if (operation.answer === undefined || operation.answer.startsWith("400 invalid_code") || all.includes(operation.id)) continue;
    const unchanged = outcomes(state, operation).some(([answer, next]) => next === state && answer === operation.answer);
    if (unchanged) all = including(all, operation);
  }
  return { state, done: all };
}

const including = (done, { id }) => [...done, id].sort((one, other) => one - other);
