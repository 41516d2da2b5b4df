// What forms send, as the text it should be.

export const text = (value) => (typeof value === "string" ? value : "");
