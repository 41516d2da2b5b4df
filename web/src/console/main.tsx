// The operator's console: static files over the admin API.
import { render } from "preact";
import "../look/tokens.css";
import "./look.css";
import { App } from "./app.tsx";

const root = document.getElementById("root")!;
root.replaceChildren();
render(<App />, root);
