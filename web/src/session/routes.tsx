// Which screens there are, which of them the session's stage allows, and where it begins.
import type { ComponentChild } from "preact";
import { best, hasAdded, ordered } from "./order.ts";
import type { Channel, MethodType, SessionView, UnixTime } from "./protocol.ts";
import { Done } from "./screens/done.tsx";
import { EnrolAdded } from "./screens/enrol-added.tsx";
import { EnrolApp } from "./screens/enrol-app.tsx";
import { EnrolContact } from "./screens/enrol-contact.tsx";
import { EnrolList } from "./screens/enrol-list.tsx";
import { EnrolPasskey } from "./screens/enrol-passkey.tsx";
import { EnrolPhone } from "./screens/enrol-phone.tsx";
import { EnrolSecond } from "./screens/enrol-second.tsx";
import { Lost } from "./screens/lost.tsx";
import { ManageFactor } from "./screens/manage-factor.tsx";
import { ManageBrowsers, ManageCodes } from "./screens/manage-more.tsx";
import { ManageList } from "./screens/manage.tsx";
import { RecoverCode, RecoverList, RecoverSent } from "./screens/recover.tsx";
import { MethodList } from "./screens/verify-list.tsx";
import { VerifyScreen } from "./screens/verify.tsx";

interface Place {
  webauthn: boolean;
  hostname: string;
}

/** A passkey and a phone go on to their name, which was proposed and can be changed now; it is never asked for before. */
function naming({ added, factors, stage }: SessionView): string | null {
  const factor = factors.find(({ id, type }) => id === added && (type === "passkey" || type === "push"));
  if (!factor) return null;
  return stage === "enrol" ? `enrol/added/${factor.id}` : stage === "manage" ? `manage/factor/${factor.id}` : null;
}

/** The screen that a stage begins with. */
export function start(view: SessionView, place: Place, now: UnixTime): string {
  const named = naming(view);
  if (named) return named;
  switch (view.stage) {
    case "verify":
      return `verify/${(best(view, place, now) ?? ordered(view, place)[0])?.type ?? "none"}`;
    case "enrol":
      if (view.pending_enrolment) return `enrol/${view.pending_enrolment.type}`;
      return hasAdded(view) ? "enrol/second" : "enrol/list";
    case "recover":
      return view.recovery?.sent ? "recover/sent" : "recover/list";
    case "manage":
      return "manage/list";
    case "lost":
    case "done":
      return view.stage;
  }
}

/** Whether a screen can be shown now. Back, a reload and another tab ask for ones of which the time is over. */
export function allows(view: SessionView, route: string, wanted: boolean): boolean {
  const [place = "", what = ""] = route.split("/");
  const { stage } = view;
  switch (place) {
    case "verify":
      return stage === "verify" || (stage === "manage" && wanted);
    case "recover":
      if (what === "sent" && !view.recovery?.sent) return false;
      return view.recovery !== null && (stage === "recover" || stage === "verify");
    case "enrol": {
      if (stage !== "enrol" && stage !== "manage") return false;
      // Without a key or link there is nothing to show, and looking must not make one.
      return (what !== "totp" && what !== "push") || view.pending_enrolment?.type === what;
    }
    default:
      return place === stage;
  }
}

/** What is done cannot be gone back on, and the list of ways is where managing begins. */
export const leadsBack = (route: string) => !/^(?:done|lost|manage\/list|enrol\/(?:added|second))/.test(route);

/** The list that a screen was chosen from, for a page that began with this screen after a reload. */
export function behind(route: string): string | null {
  const [place, what] = route.split("/");
  if ((place !== "enrol" && place !== "manage" && place !== "recover") || what === "list") return null;
  return leadsBack(route) ? `${place}/list` : null;
}

export function screenOf(route: string): ComponentChild {
  const [place, what = "", id = ""] = route.split("/");
  switch (place) {
    case "verify":
      return what === "list" ? <MethodList /> : <VerifyScreen type={what as MethodType} />;
    case "recover":
      return what === "code" ? <RecoverCode /> : what === "sent" ? <RecoverSent /> : <RecoverList />;
    case "enrol":
      return enrolScreen(what, id);
    case "manage":
      if (what === "factor") return <ManageFactor id={id} />;
      return what === "codes" ? <ManageCodes /> : what === "browsers" ? <ManageBrowsers /> : <ManageList />;
    case "lost":
      return <Lost />;
    default:
      return <Done />;
  }
}

function enrolScreen(what: string, id: string): ComponentChild {
  switch (what) {
    case "totp":
      return <EnrolApp />;
    case "passkey":
      return <EnrolPasskey />;
    case "push":
      return <EnrolPhone />;
    case "sms":
    case "email":
      return <EnrolContact type={what as Channel} />;
    case "added":
      return <EnrolAdded id={id} />;
    case "second":
      return <EnrolSecond />;
    default:
      return <EnrolList />;
  }
}
