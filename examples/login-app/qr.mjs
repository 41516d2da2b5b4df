// Candado draws QR codes. This application shows them from an address of its own, so that its pages load nothing
// from elsewhere and no browser learns the link.

/** The QR code as SVG, or null once its secret was confirmed or replaced, or has expired. */
export async function qrCode(url) {
  const response = await fetch(url, { headers: { Accept: "image/svg+xml" }, redirect: "error", signal: AbortSignal.timeout(15_000) });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`the QR code is answered with ${response.status}`);
  return response.text();
}
