//! What is worth recording: what happened to whom. Never a code, a secret, a token, a phone number or an
//! address (LOG-02).

use serde_json::{Value, json};

use super::ids::{ClientId, RequestId, UserId};
use super::method::Method;
use super::time::UnixTime;

/// What is recorded. The names are part of the API (`GET /admin/audit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Enrolled,
    Imported,
    Confirmed,
    Verified,
    Recovered,
    Failed,
    Replayed,
    Locked,
    FactorDisabled,
    Renewed,
    FactorAdded,
    FactorRenamed,
    FactorRemoved,
    PasskeyCopied,
    BrowserRemembered,
    BrowserTrusted,
    BrowserValueReused,
    BrowsersForgotten,
    Disabled,
    RecoveryCodesReplaced,
    ContactChanged,
    CodeSent,
    CodeGenerated,
    SendRefused,
    DeliveryFailed,
    DeliveryFellBack,
    Deleted,
    Unlocked,
    Unreadable,
    RecoveryStopped,
    SessionBegun,
    SessionEnded,
    ResultReplayed,
    ClientCreated,
    ClientChanged,
    ClientSecretRotated,
    ClientDeleted,
    ApiKeyCreated,
    ApiKeyRevoked,
    WebhookSet,
    WebhookRemoved,
    WebhookRedelivered,
    NoticeSent,
}

impl Kind {
    /// What a webhook can be told of: changes of what a user proves themselves by, and what somebody should look into.
    /// Nothing that a login alone brings about, so that one stores no more for it.
    pub const TOLD: [Self; 19] = [
        Self::Enrolled,
        Self::Imported,
        Self::Confirmed,
        Self::Renewed,
        Self::FactorAdded,
        Self::FactorRenamed,
        Self::FactorRemoved,
        Self::FactorDisabled,
        Self::RecoveryCodesReplaced,
        Self::ContactChanged,
        Self::Disabled,
        Self::Deleted,
        Self::Locked,
        Self::Unlocked,
        Self::Recovered,
        Self::RecoveryStopped,
        Self::PasskeyCopied,
        Self::BrowserValueReused,
        Self::BrowsersForgotten,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Imported => "imported",
            Self::Confirmed => "confirmed",
            Self::Verified => "verified",
            Self::Recovered => "recovered",
            Self::Failed => "failed",
            Self::Replayed => "replayed",
            Self::Locked => "locked",
            Self::FactorDisabled => "factor_disabled",
            Self::Renewed => "renewed",
            Self::FactorAdded => "factor_added",
            Self::FactorRenamed => "factor_renamed",
            Self::FactorRemoved => "factor_removed",
            Self::PasskeyCopied => "passkey_counter_went_back",
            Self::BrowserRemembered => "browser_remembered",
            Self::BrowserTrusted => "trusted_device_used",
            Self::BrowserValueReused => "trusted_device_reused",
            Self::BrowsersForgotten => "trusted_devices_removed",
            Self::Disabled => "disabled",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::ContactChanged => "contact_changed",
            Self::CodeSent => "code_sent",
            Self::CodeGenerated => "code_generated",
            Self::SendRefused => "send_refused",
            Self::DeliveryFailed => "delivery_failed",
            Self::DeliveryFellBack => "delivery_fell_back",
            Self::Deleted => "deleted",
            Self::Unlocked => "unlocked",
            Self::Unreadable => "crypt_decrypt_fail",
            Self::RecoveryStopped => "recovery_stopped",
            Self::SessionBegun => "session_begun",
            Self::SessionEnded => "session_ended",
            Self::ResultReplayed => "result_replayed",
            Self::ClientCreated => "client_created",
            Self::ClientChanged => "client_changed",
            Self::ClientSecretRotated => "client_secret_rotated",
            Self::ClientDeleted => "client_deleted",
            Self::ApiKeyCreated => "api_key_created",
            Self::ApiKeyRevoked => "api_key_revoked",
            Self::WebhookSet => "webhook_set",
            Self::WebhookRemoved => "webhook_removed",
            Self::WebhookRedelivered => "webhook_redelivered",
            Self::NoticeSent => "notice_sent",
        }
    }

    /// `success` or `failure`.
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Failed
            | Self::Replayed
            | Self::Locked
            | Self::FactorDisabled
            | Self::PasskeyCopied
            | Self::BrowserValueReused
            | Self::SendRefused
            | Self::ResultReplayed
            | Self::DeliveryFailed
            | Self::Unreadable => "failure",
            _ => "success",
        }
    }

    /// Whether a user can bring it about without end: it is recorded once a minute, so as not to fill
    /// the record.
    pub const fn is_rationed(self) -> bool {
        matches!(self, Self::Replayed | Self::SendRefused)
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    pub kind: Kind,
    pub method: Option<Method>,
    pub detail: Value,
}

impl Event {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            method: None,
            detail: json!({}),
        }
    }

    #[must_use]
    pub fn by(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Where and when events happened.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub client: &'a ClientId,
    pub user: Option<&'a UserId>,
    /// Which operator brought it about, where it was one.
    pub operator: Option<&'a str>,
    pub request_id: &'a RequestId,
    /// By the clock of the client, which decides.
    pub now: UnixTime,
    /// By the server's clock, for the record: that is in the order of time.
    pub recorded_at: UnixTime,
}
