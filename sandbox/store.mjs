// What the sandbox remembers: the messages it accepted and the provider requests it was sent. In
// memory only, the last LIMIT of each, so that a long run neither grows nor leaves codes on a disk.

const LIMIT = 1000;

export function createStore() {
  let messages = [];
  let requests = [];

  return {
    /** Messages, oldest first; `to` and `channel` narrow them when given. */
    messages: ({ to, channel } = {}) =>
      messages.filter((message) => (!to || message.to === to) && (!channel || message.channel === channel)),
    requests: () => requests,
    addMessages(added) {
      const receivedAt = new Date().toISOString();
      messages = [...messages, ...added.map((message) => ({ ...message, received_at: receivedAt }))].slice(-LIMIT);
    },
    /** Recorded when it arrives; the caller sets `status` when it is answered. */
    addRequest(record) {
      requests = [...requests, record].slice(-LIMIT);
      return record;
    },
    forget() {
      messages = [];
      requests = [];
    },
  };
}
