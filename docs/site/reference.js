// The API reference. On this machine it gets itself a token with the demo client, so that requests can be tried at once.
const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
const reference = document.querySelector("#content");

nameParts();
Scalar.createApiReference(reference, {
  content: await documentWithClients(),
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
  hideSearch: true, // the bar above has one
  hiddenClients: ["c", "clojure", "csharp", "dart", "fsharp", "go", "http", "java", "kotlin", "objc", "ocaml", "php", "powershell", "r", "ruby", "rust", "swift"],
  telemetry: false,
  persistAuth: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
});

/** openapi.json, and how to install the two clients that go with it. */
async function documentWithClients() {
  const document = await (await fetch("/openapi.json")).json();
  document.info["x-scalar-sdk-installation"] = [
    { lang: "Node", description: "The [TypeScript client](/docs/quick-start), from a clone of the repository:", source: "npm install PATH/clients/typescript" },
    { lang: "Python", description: "The [Python client](/docs/quick-start), from a clone of the repository:", source: "pip install PATH/clients/python" },
  ];
  return document;
}

async function demoToken() {
  const response = await fetch("/auth", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id: "app123", client_secret: "secret123" }),
  });
  return response.ok ? (await response.json()).access_token : "";
}

/** Names that Scalar does not give: its buttons to copy are icons, and its bar on a phone would be a second banner. */
function nameParts() {
  const give = (selector, attributes) => {
    for (const element of reference.querySelectorAll(`${selector}:not([aria-label])`)) {
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    }
  };
  new MutationObserver(() => {
    give("button[class*=copy-button]", { "aria-label": "Copy" });
    give(".t-doc__header", { role: "navigation", "aria-label": "Section" });
    give(".t-doc__header header", { role: "none" });
  }).observe(reference, { childList: true, subtree: true });
}
