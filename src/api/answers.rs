//! What several answers have in common, and the words of the contract that have one value each.

use serde::Serialize;
use utoipa::ToSchema;

/// The `status` of every success.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Succeeded {
    Success,
}

/// The `status` of every failure.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Failed {
    Failure,
}

/// It was done, and there is nothing more to say.
#[derive(Serialize, ToSchema)]
pub(super) struct Success {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
}

impl Success {
    pub(super) fn new(message: &'static str) -> Self {
        let status = Succeeded::Success;
        Self { status, message }
    }
}
