// The API reference. On this machine it gets itself a token with the demo client, so that requests can be tried at once.
const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  authentication: {
    preferredSecurityScheme: "accessToken",
    securitySchemes: { accessToken: { token: local ? await demoToken() : "" } },
  },
  operationTitleSource: "summary",
  orderSchemaPropertiesBy: "preserve",
  orderRequiredPropertiesFirst: false,
  documentDownloadType: "json",
  defaultOpenFirstTag: true,
  withDefaultFonts: false,
  hideDarkModeToggle: true,
  telemetry: false,
  persistAuth: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
});

async function demoToken() {
  const response = await fetch("/auth", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id: "app123", client_secret: "secret123" }),
  });
  return response.ok ? (await response.json()).access_token : "";
}
