//! The program `candado`: its commands and how they end.

mod api_keys;
mod audit;
mod client;
mod completions;
mod copy;
mod dev;
mod health;
mod import;
mod key_ring;
mod keys;
mod remote;
mod serve;
mod statistics;
mod table;
mod top;
mod users;
mod webhook;

pub(super) use serve::milliseconds;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What went wrong, for the one who ran it.
type Problem = String;

const VARIABLES: &str = "\
To serve, these variables say how:

  PUBLIC_URL                    where callers reach the service: https://mfa.example.com
  MASTER_KEYS                   secret: key ring, id:base64 of 32 bytes, separated by commas
  ADMIN_TOKEN                   secret: bearer token of /admin, or name:token of each operator;
                                without it there is no /admin
  BEHIND_TLS_PROXY              true: a proxy in front ends TLS and sets X-Forwarded-Proto.
                                Required in production
  LISTEN                        address and port; 127.0.0.1:8787 if not set
  DATABASE                      SQLite file; candado.sqlite if not set
  DATABASE_URL                  secret: PostgreSQL instead of it: postgres://user:password@host/database
  DATABASE_CONNECTIONS          connections to PostgreSQL; 16 if not set
  DRAIN_SECONDS                 how long it goes on serving after SIGTERM, while /health fails; 0 if not set
  METRICS_LISTEN                address and port for Prometheus: /metrics; nowhere if not set
  LOG_FORMAT                    text, or json: each line of the log is an object; text if not set
  ENVIRONMENT                   production, or development: plain http on this machine
  RESTORED_AT                   when a backup was restored, in Unix seconds
  AUDIT_RETENTION_DAYS          how long events are kept; 365 if not set
  SMS_COUNTRIES                 where SMS may go: ES,PT or *; nowhere if not set
  TWILIO_ACCOUNT_SID            Twilio's account; without it there is no SMS
  TWILIO_AUTH_TOKEN             secret: its token
  TWILIO_FROM                   the number that sends, in E.164
  TWILIO_MESSAGING_SERVICE_SID  a messaging service instead of the number
  TWILIO_WHATSAPP_FROM          the number that sends WhatsApp messages
  TWILIO_WHATSAPP_CONTENT_SID   its template with the code; …_CONTENT_SID_ES is the Spanish one
  TWILIO_VOICE_FROM             the number that calls and reads codes out
  TWILIO_BASE_URL               another place for Twilio's requests, for tests
  SENDGRID_API_KEY              secret: SendGrid's key; without it there is no e-mail
  SENDGRID_FROM                 the address e-mails come from
  SENDGRID_FROM_NAME            the name beside it
  SENDGRID_BASE_URL             another place for SendGrid's requests, for tests
  SMTP_URL                      your own mail server: smtps://mail.example.com, or smtp:// with STARTTLS
  SMTP_USERNAME                 who it lets send, if it asks
  SMTP_PASSWORD                 secret: its password
  SMTP_FROM                     the address e-mails come from by it
  SMTP_FROM_NAME                the name beside it
  HOOK_URL                      a gateway of your own, which gets messages as signed JSON
  HOOK_SECRET                   secret: signs them, whsec_ and base64 of 24 to 64 bytes
  SMS_PROVIDERS                 who is tried first and next, of twilio, whatsapp, voice, sms_hook;
                                required where several are set up
  EMAIL_PROVIDERS               the same, of sendgrid, smtp, email_hook
  SSL_CERT_FILE                 authorities to trust instead of the system's

The other commands talk to a running service:

  CANDADO_URL                   where it is; http://localhost:8787 if not set
  CANDADO_ADMIN_TOKEN           secret: its ADMIN_TOKEN, or yours of several. Without it, and for a
                                service on this machine, the one `candado dev` keeps in candado-dev
";

/// Multi-factor authentication as a service.
///
/// Without a command it serves, until SIGINT or SIGTERM.
#[derive(Parser)]
#[command(name = "candado", version, after_help = VARIABLES, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves, as without a command
    Serve,
    /// Serves on this machine, to try it: with keys, a database, a client, guides and an inbox
    Dev(dev::Arguments),
    /// Applications that may use a service: make, list, set, give a new secret, delete
    Client(client::Arguments),
    /// API keys of a client: make, list, revoke
    Keys(api_keys::Arguments),
    /// Where a client is told of events: set, show, test, deliveries, redeliver, delete
    Webhook(webhook::Arguments),
    /// Users of a client: list, show, unlock, disable, delete, export
    Users(users::Arguments),
    /// The record of events, as it is and as it goes on
    Audit(audit::Arguments),
    /// Brings users along from another product, with their authenticator apps
    Import(import::Arguments),
    /// How far a rotation of keys is
    KeyRing(key_ring::Arguments),
    /// What happens now, in numbers
    Top(top::Arguments),
    /// What happened in a period, in numbers: by the hour, the day or five minutes
    Statistics(statistics::Arguments),
    /// Moves all data: between SQLite and PostgreSQL, or from what D1 exports, compared row by row
    Copy(copy::Arguments),
    /// Says whether the service that listens here is fit to serve: for health checks
    Health,
    /// Prints fresh secrets for a new service
    GenerateKeys(keys::Arguments),
    /// Prints what a shell needs to complete these commands
    Completions(completions::Arguments),
}

pub fn main() -> ExitCode {
    super::logging::init();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are errors of this kind too; each has its own stream and code.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = match &arguments.command {
        None | Some(Command::Serve) => serve::run(),
        Some(Command::Dev(arguments)) => dev::run(arguments),
        Some(Command::Client(arguments)) => client::run(arguments),
        Some(Command::Keys(arguments)) => api_keys::run(arguments),
        Some(Command::Webhook(arguments)) => webhook::run(arguments),
        Some(Command::Users(arguments)) => users::run(arguments),
        Some(Command::Audit(arguments)) => audit::run(arguments),
        Some(Command::Import(arguments)) => import::run(arguments),
        Some(Command::KeyRing(arguments)) => key_ring::run(arguments),
        Some(Command::Top(arguments)) => top::run(arguments),
        Some(Command::Statistics(arguments)) => statistics::run(arguments),
        Some(Command::Copy(arguments)) => copy::run(arguments),
        Some(Command::Health) => health::run(),
        Some(Command::GenerateKeys(arguments)) => keys::run(arguments),
        Some(Command::Completions(arguments)) => completions::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            for line in problem.lines() {
                log::error!("candado: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    // By its kind, so that a reader that went away can be told apart.
    written.map_err(|error| error.kind().to_string())
}
