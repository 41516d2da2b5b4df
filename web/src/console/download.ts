// A file that the browser is handed. Its content never becomes part of a page.

export function save(name: string, type: string, parts: string[]) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
