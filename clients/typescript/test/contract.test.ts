import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { it } from "node:test";
import type * as ours from "../src/index.js";
import type { KnownErrorCode } from "../src/errors.js";
import { camelName, snakeName } from "../src/names.js";
// Made of docs/openapi.json by `npm test`.
import type { components, paths } from "../build/schema.js";

type CamelName<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelName<Tail>>}` : Name;
type Camel<T> = { [Name in keyof T as CamelName<Name>]: T[Name] };

type Schemas = components["schemas"];
type Post<Path extends keyof paths> = paths[Path] extends { post: infer Operation } ? Operation : never;
type Get<Path extends keyof paths> = paths[Path] extends { get: infer Operation } ? Operation : never;
type Patch<Path extends keyof paths> = paths[Path] extends { patch: infer Operation } ? Operation : never;
type Delete<Path extends keyof paths> = paths[Path] extends { delete: infer Operation } ? Operation : never;
type Fields<Operation> = Operation extends { requestBody?: { content: { "application/json": infer Body } } } ? Body : never;
type Answer<Operation> = Operation extends { responses: { 200: { content: { "application/json": infer Body } } } } ? Body : never;

/** What of a request is left for the caller to give. */
type Options<Path extends keyof paths, Taken = never> = Camel<Omit<Fields<Post<Path>>, "user_id" | "client_id" | (Taken & string)>>;
type Result<Operation> = Camel<Omit<Answer<Operation>, "status" | "message">>;

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** The names of what only one of two types has, or both have differently. `null` in a request is as good as nothing. */
type Differences<Ours, Theirs> =
  | Exclude<keyof Theirs, keyof Ours>
  | Exclude<keyof Ours, keyof Theirs | "signal">
  | { [Name in keyof Ours & keyof Theirs]: Equal<NonNullable<Ours[Name]>, NonNullable<Theirs[Name]>> extends true ? never : Name }[keyof Ours & keyof Theirs];

/** Does not compile for a name. */
function none<_Differences extends never>(): void {}

it("the types are those of docs/openapi.json", () => {
  none<Differences<ours.RegisterOptions, Options<"/mfa/register">>>();
  none<Differences<ours.RenewOptions, Options<"/mfa/renew">>>();
  none<Differences<ours.VerifyOptions, Options<"/mfa/verify", "code" | "challenge_id" | "credential">>>();
  none<Differences<ours.SendOptions, Options<"/mfa/sms">>>();
  none<Differences<ours.SendOptions, Options<"/mfa/email">>>();
  none<Differences<ours.SendOptions, Options<"/mfa/recovery", "recovery_method">>>();
  none<Differences<ours.CallOptions, Options<"/mfa/generate">>>();
  none<Differences<ours.ProofOptions, Options<"/mfa/recovery-codes">>>();
  none<Differences<ours.ProofOptions, Options<"/mfa/disable">>>();
  none<Differences<ours.ProofOptions, Camel<Schemas["DeleteUserRequest"]>>>();
  none<Differences<ours.ContactOptions, Options<"/mfa/contact">>>();
  none<Differences<ours.SessionOptions, Options<"/mfa/sessions">>>();
  none<Exclude<keyof Options<"/mfa/import">, keyof ours.ImportOptions>>();
  none<Differences<ours.AddFactorOptions, Options<"/mfa/factors", "type">>>();
  none<Exclude<keyof Camel<Fields<Delete<"/mfa/factors/{factor_id}">>>, keyof ours.ProofOptions | "userId" | "clientId">>();
  none<Exclude<keyof Camel<Fields<Patch<"/mfa/factors/{factor_id}">>>, "userId" | "clientId" | "name">>();
  none<Exclude<keyof Camel<Fields<Delete<"/mfa/trusted-devices">>>, keyof ours.ForgetOptions | "userId" | "clientId">>();
  none<Exclude<keyof Options<"/mfa/passkeys/options">, keyof ours.PasskeyOptionsOptions>>();
  none<Exclude<keyof Options<"/mfa/passkeys">, keyof ours.RegisterPasskeyOptions>>();
  none<Exclude<keyof Options<"/mfa/passkeys/challenge">, keyof ours.CallOptions>>();
  none<Exclude<keyof Options<"/mfa/trusted-devices/check", "trusted_device">, keyof ours.CallOptions>>();

  none<Differences<ours.Enrolment, Result<Post<"/mfa/register">>>>();
  none<Differences<ours.Enrolment, Result<Post<"/mfa/renew">>>>();
  none<Differences<ours.Verified, Result<Post<"/mfa/verify">>>>();
  none<Differences<ours.SentCode, Result<Post<"/mfa/sms">>>>();
  none<Differences<ours.SentCode, Result<Post<"/mfa/email">>>>();
  none<Differences<ours.SentRecovery, Result<Post<"/mfa/recovery">>>>();
  none<Differences<ours.GeneratedCode, Result<Post<"/mfa/generate">>>>();
  none<Differences<ours.RecoveryCodes, Result<Post<"/mfa/recovery-codes">>>>();
  none<Differences<ours.Session, Camel<Schemas["CreateSessionResponse"]>>>();
  none<Differences<ours.SessionResult, Result<Post<"/mfa/sessions/result">>>>();
  none<Differences<ours.Contact, Result<Post<"/mfa/contact">>>>();
  none<Differences<ours.Factor, Camel<Schemas["Factor"]>>>();
  none<Differences<Omit<ours.Factors, "factors">, Omit<Result<Get<"/mfa/factors">>, "factors">>>();
  none<Differences<Omit<ours.PasskeyChallenge, "publicKey">, Omit<Result<Post<"/mfa/passkeys/options">>, "publicKey">>>();
  none<Differences<ours.TrustedDeviceChecked, Result<Post<"/mfa/trusted-devices/check">>>>();
  none<Differences<ours.TrustedDevice, Camel<Schemas["TrustedDevice"]>>>();
  none<Differences<ours.Status, Result<Get<"/mfa/status">>>>();

  none<Differences<ours.TestMessage, Camel<Schemas["TestMessage"]>>>();
  none<Differences<ours.TestClock, Result<Post<"/mfa/test/clock">>>>();

  none<Exclude<Schemas["RecoveryChannel"], ours.RecoveryMethod> | Exclude<ours.RecoveryMethod, Schemas["RecoveryChannel"]>>();
  none<Exclude<Schemas["Error"]["error"], KnownErrorCode>>();
  none<Exclude<keyof Camel<Schemas["Error"]>, keyof ours.CandadoError | "error" | "errorDescription">>();
});

it("every field has one name in camelCase and back", async () => {
  const document = JSON.parse(await readFile("../../docs/openapi.json", "utf8")) as {
    components: { schemas: Record<string, { properties?: object }> };
  };
  const names = Object.values(document.components.schemas).flatMap(({ properties = {} }) => Object.keys(properties));
  assert.ok(names.includes("recovery_codes_remaining"));
  // What is for a browser has its names already.
  const told = names.filter((name) => name === name.toLowerCase());
  for (const name of told) assert.equal(snakeName(camelName(name)), name);
});
