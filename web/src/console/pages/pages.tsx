// Which page an address leads to.
import { Head } from "../frame.tsx";
import { Empty, Say } from "../parts.tsx";
import type { Route } from "../route.ts";
import { useSay, useWords } from "../ui.ts";
import { Audit } from "./audit.tsx";
import { ClientPage, tabs, type Tab } from "./client.tsx";
import { Clients } from "./clients.tsx";
import { Overview } from "./overview.tsx";
import { System } from "./system.tsx";
import { UserPage } from "./user.tsx";
import { Users } from "./users.tsx";

export function pageOf({ path }: Route) {
  const [place, id, more] = path;
  const deep = path.length;
  if (deep === 0 || (place === "overview" && deep === 1)) return <Overview />;
  if (place === "clients" && deep === 1) return <Clients />;
  if (place === "clients" && deep === 2) return <ClientPage id={id!} tab="summary" />;
  if (place === "clients" && deep === 3 && tabs.includes(more as Tab)) return <ClientPage id={id!} tab={more as Tab} />;
  if (place === "users" && deep === 1) return <Users />;
  if (place === "users" && deep === 3) return <UserPage client={id!} user={more!} />;
  if (place === "audit" && deep === 1) return <Audit />;
  if (place === "system" && deep === 1) return <System />;
  return <Nothing />;
}

function Nothing() {
  const words = useWords();
  const say = useSay();
  return (
    <>
      <Head title={say(words.nothing)} />
      <Empty>
        <p>
          <Say of={words.nothingText} />
        </p>
      </Empty>
    </>
  );
}
