// What forms send, as the text it should be.

export const text = (value) => (typeof value === "string" ? value : "");

/** A code as people type it, with spaces or without. */
export const typedCode = (value) => text(value).replace(/\s/g, "");
