// Which screen of the session is shown. On the page each screen is an entry of the browser's history, so that Back goes
// one screen back and a reload keeps the place; inside somebody else's page the history is theirs and this one is a list.

export interface Router {
  /** Null until a screen was chosen. */
  readonly route: string | null;
  readonly canGoBack: boolean;
  push(route: string): void;
  replace(route: string): void;
  back(): void;
  /** Called when the route changed by Back or Forward. */
  onMove: () => void;
}

interface Entry {
  candado: string;
  session: string;
  depth: number;
}

export class HistoryRouter implements Router {
  onMove = () => {};
  private entry: Entry | null;
  private readonly session: string;

  constructor(session: string) {
    this.session = session;
    this.entry = this.read();
    addEventListener("popstate", () => {
      this.entry = this.read();
      this.onMove();
    });
  }

  /** Another session's entries, and other people's, say nothing. */
  private read(): Entry | null {
    const state = history.state as Entry | null;
    return state?.session === this.session ? state : null;
  }

  get route() {
    return this.entry?.candado ?? null;
  }
  get canGoBack() {
    return (this.entry?.depth ?? 0) > 0;
  }
  push(route: string) {
    this.entry = { candado: route, session: this.session, depth: (this.entry?.depth ?? 0) + 1 };
    history.pushState(this.entry, "");
  }
  replace(route: string) {
    this.entry = { candado: route, session: this.session, depth: this.entry?.depth ?? 0 };
    history.replaceState(this.entry, "");
  }
  back() {
    history.back();
  }
}

export class ListRouter implements Router {
  onMove = () => {};
  private readonly routes: string[] = [];

  get route() {
    return this.routes.at(-1) ?? null;
  }
  get canGoBack() {
    return this.routes.length > 1;
  }
  push(route: string) {
    this.routes.push(route);
  }
  replace(route: string) {
    this.routes.splice(-1, 1, route);
  }
  back() {
    if (this.canGoBack) this.routes.pop();
    this.onMove();
  }
}
