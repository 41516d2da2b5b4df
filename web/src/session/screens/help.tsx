// The way out to people.
import { Say } from "../../components/say.tsx";
import { useApp, useUi, useWords } from "../ui.ts";
import { isLink } from "../fragment.ts";

/** The application's support, where there is nothing left that this page could do. */
export function HelpRow() {
  const { session } = useUi();
  const words = useWords();
  const app = useApp();
  const url = session.surroundings?.support_url;
  if (!url || !isLink(url)) return null;
  return (
    <p class="help">
      <a class="button secondary" href={url} target="_blank" rel="noopener noreferrer">
        <span class="label">
          <Say of={words.button.helpFrom} app={app} />
        </span>
      </a>
    </p>
  );
}
