// The settings of a client: what each is, and its bounds. A test holds them to docs/openapi.json.

export type Definition = { name: string } & (
  | { kind: "number"; min: number; max: number; normal: number }
  | { kind: "yes"; normal: boolean }
  | { kind: "choice"; options: readonly string[]; normal: string }
  | { kind: "text" | "lines" | "countries" | "logo" | "colour" }
  | { kind: "ticks"; options: readonly string[] }
);

export const methods = ["totp", "passkey", "sms", "email", "generated", "recovery_code", "recovery"] as const;

const number = (name: string, min: number, normal: number, max: number): Definition => ({ name, kind: "number", min, max, normal });

export const groups = {
  sending: [
    { name: "issuer", kind: "text" },
    { name: "sms_domain", kind: "text" },
    { name: "sms_countries", kind: "countries" },
    { name: "sms_providers", kind: "lines" },
    { name: "email_providers", kind: "lines" },
    { name: "locale", kind: "choice", options: ["en", "es"], normal: "en" },
    number("cooldown_seconds", 60, 60, 3_600),
    number("sends_per_ten_minutes", 1, 5, 5),
    number("sends_per_day", 1, 10, 10),
  ],
  limits: [
    number("sms_per_prefix_and_hour", 1, 20, 1_000),
    number("daily_sms_budget", 0, 1_000, 1_000_000),
    number("daily_email_budget", 0, 5_000, 1_000_000),
    number("max_accounts", 1, 1_000_000, 1_000_000_000),
    number("registrations_per_minute", 1, 1_200, 1_000_000),
    number("generated_codes_per_minute", 1, 1_200, 1_000_000),
  ],
  security: [
    { name: "methods", kind: "ticks", options: methods },
    { name: "require_step_up", kind: "yes", normal: false },
    { name: "notify_users", kind: "yes", normal: false },
    number("remember_days", 0, 0, 90),
    number("recovery_delay_hours", 0, 0, 72),
    { name: "passkey_rp_id", kind: "text" },
    { name: "passkey_origins", kind: "lines" },
    { name: "passkey_user_verification", kind: "choice", options: ["required", "preferred", "discouraged"], normal: "preferred" },
  ],
  page: [
    { name: "return_urls", kind: "lines" },
    { name: "recovery_return_url", kind: "text" },
    { name: "support_url", kind: "text" },
    { name: "brand_name", kind: "text" },
    { name: "brand_colour", kind: "colour" },
    { name: "brand_logo", kind: "logo" },
  ],
} satisfies Record<string, Definition[]>;

export type Group = keyof typeof groups;
export const definitions: Definition[] = Object.values(groups).flat();

/** Every field of the form as the text in it. */
export type Draft = Record<string, string>;

const brandOf = { brand_name: "name", brand_colour: "colour", brand_logo: "logo_url" } as const;
type BrandField = keyof typeof brandOf;

const lines = (value: unknown) => ((value as string[] | null) ?? []).join("\n");

/** What the form shows of settings as they are. Empty text is "not set". */
export function draftOf(settings: Record<string, unknown>): Draft {
  const brand = settings.brand as Record<string, string | null>;
  return Object.fromEntries(
    definitions.map(({ name, kind }) => {
      if (name in brandOf) return [name, brand[brandOf[name as BrandField]] ?? ""];
      const value = settings[name];
      return [name, kind === "lines" || kind === "countries" || kind === "ticks" ? lines(value) : String(value ?? "")];
    }),
  );
}

const split = (text: string, by: RegExp) => {
  const parts = text.split(by).map((part) => part.trim()).filter(Boolean);
  return parts.length > 0 ? parts : null;
};

function valueOf({ kind }: Definition, text: string): unknown {
  if (kind === "number") return text.trim() === "" ? null : Number(text);
  if (kind === "yes") return text === "true";
  if (kind === "lines" || kind === "ticks") return split(text, /\n/);
  if (kind === "countries") return split(text.toUpperCase(), /[\s,;]+/);
  return text.trim() === "" ? null : text.trim();
}

/** The names of the fields that differ. */
export const changesOf = (before: Draft, draft: Draft): string[] => definitions.map(({ name }) => name).filter((name) => draft[name] !== before[name]);

/** What is sent for these: only what differs, and a brand as a whole. */
export function patchOf(changed: string[], draft: Draft): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const definition of definitions.filter(({ name }) => changed.includes(name))) {
    if (definition.name in brandOf) {
      patch.brand = Object.fromEntries(Object.entries(brandOf).map(([name, field]) => [field, draft[name]!.trim() || null]));
    } else {
      patch[definition.name] = valueOf(definition, draft[definition.name]!);
    }
  }
  return patch;
}

/** Where a number is none, or out of bounds. What else may be wrong, the service knows. */
export function isOutside(definition: Definition, text: string): boolean {
  if (definition.kind !== "number" || text.trim() === "") return false;
  const value = Number(text);
  return !Number.isInteger(value) || value < definition.min || value > definition.max;
}

export const normalOf = (definition: Definition): string => ("normal" in definition ? String(definition.normal) : "");

/** The field of the form that the service means by `settings.brand`, `settings.return_urls`. */
export function fieldOf(named: string | null, changed: string[]): string | null {
  const name = named?.replace(/^settings\./, "") ?? null;
  if (name !== "brand") return name;
  return changed.find((one) => one in brandOf) ?? "brand_name";
}
